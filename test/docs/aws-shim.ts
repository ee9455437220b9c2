// An `aws` for the shell blocks of docs/restore.md: `s3 cp`, `s3 sync` and `s3 ls` on a folder of plain files. It fails as
// the real one does, with exit code 1 for what is not there, and with 252 for everything else than these three.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SCRIPT = `#!/bin/bash
set -eu
root=$NIGHTSHIFT_TEST_BUCKETS
case "$1 $2" in
  's3 cp')
    key=\${3#s3://}
    if [ ! -f "$root/$key" ]; then
      echo "fatal error: An error occurred (404) when calling the HeadObject operation: Key \\"\${key#*/}\\" does not exist" >&2
      exit 1
    fi
    case "$4" in
      .) to=\${key##*/} ;;
      */) mkdir -p "$4"; to=$4\${key##*/} ;;
      *) to=$4 ;;
    esac
    cat "$root/$key" > "$to"
    ;;
  's3 sync')
    if [ $# -ne 4 ] || [ "\${3#s3://}" = "$3" ]; then
      echo "aws: this stand-in syncs only from S3 to a folder, without options" >&2
      exit 252
    fi
    prefix=\${3#s3://}
    prefix=\${prefix%/}
    # As the real one: nothing below the prefix is no error, and what is there with the same size is not fetched again.
    [ -d "$root/$prefix" ] || exit 0
    (cd "$root/$prefix" && find . -type f) | sort | while read -r file; do
      mkdir -p "$(dirname "$4/$file")"
      if [ -f "$4/$file" ] && [ "$(stat -c %s "$4/$file")" = "$(stat -c %s "$root/$prefix/$file")" ]; then continue; fi
      cat "$root/$prefix/$file" > "$4/$file"
      echo "download: s3://$prefix/\${file#./} to $4/\${file#./}"
    done
    ;;
  's3 ls')
    shift 2
    depth='-maxdepth 1'
    if [ "$1" = --recursive ]; then depth=; shift; fi
    prefix=\${1#s3://}
    [ -d "$root/$prefix" ] || exit 1
    bucket=\${prefix%%/*}
    find "$root/$prefix" $depth -type f -printf "2026-01-01 00:00:00 %10s %P\\n" |
      sed "s|\\( *[0-9]* \\)\\([^ ]*\\)$|\\1\${prefix#"$bucket"/}\\2|" | sort -k4
    ;;
  *)
    echo "aws: this stand-in knows only s3 cp, s3 sync and s3 ls" >&2
    exit 252
    ;;
esac
`;

/** Writes the stand-in into a folder that goes first on PATH; NIGHTSHIFT_TEST_BUCKETS names the folder of the buckets. */
export function writeAwsShim(folder: string): void {
  const path = join(folder, 'aws');
  writeFileSync(path, SCRIPT);
  chmodSync(path, 0o755);
}
