#!/usr/bin/env bash
# Builds the Lambda layer: <out>/pg<major>/ with pg_dump, pg_dumpall, pg_restore, their libraries and licences, for each major.
# Called by infra/postgres-client-layer.ts (in a container of Amazon Linux 2023, or on Debian and Ubuntu), and by hand.
# It never installs anything on Debian or Ubuntu, never touches their package lists, and leaves no half-made folder.
set -euo pipefail
export LC_ALL=C
umask 022

usage='build.sh [--glibc 2.34] [--apt-sources FILE] x86_64|arm64 OUT-FOLDER MAJOR [MAJOR ...]'

# Exit codes: wrong arguments; this machine lacks a program, or its package sources are out of reach or lack the major;
# the packages lack what they should have.
readonly BAD_ARGUMENT=2 CANNOT_BUILD_HERE=3 NOT_IN_PACKAGES=4

# fail CODE PROBLEM HINT
fail() {
  printf 'build.sh: %s. Nothing was written%s.\nHint: %s.\n' "$2" "${out:+ to \"$out\"}" "$3" >&2
  exit "$1"
}

here=${BASH_SOURCE[0]%/*}
# shellcheck source=packages.sh
. "$here/packages.sh"
# shellcheck source=collect.sh
. "$here/collect.sh"

# The glibc of the system that will run the programs; 2.34 is that of Amazon Linux 2023.
target_glibc=2.34
# Another list of package sources than that of the machine: for another release or processor, say. Synth passes it as a variable.
apt_sources=${NIGHTSHIFT_APT_SOURCES:-}
out='' work='' written=no
while [[ ${1:-} == --* ]]; do
  case $1 in
    --glibc) target_glibc=${2:-} ;;
    --apt-sources) apt_sources=${2:-} ;;
    *) fail $BAD_ARGUMENT "\"$1\" is no option" "$usage" ;;
  esac
  shift $(($# > 1 ? 2 : 1))
done
[[ $target_glibc =~ ^2\.[0-9]+$ ]] || fail $BAD_ARGUMENT "--glibc is \"$target_glibc\"; must be as 2.34" "$usage"
[[ -z $apt_sources || -r $apt_sources ]] ||
  fail $BAD_ARGUMENT "--apt-sources (or NIGHTSHIFT_APT_SOURCES) is \"$apt_sources\"; must be a file that can be read" "$usage"
architecture=${1:-}
case $architecture in
  x86_64) triplet=x86_64-linux-gnu ;;
  arm64) triplet=aarch64-linux-gnu ;;
  *) fail $BAD_ARGUMENT "the architecture is \"$architecture\"; must be x86_64 or arm64" "$usage" ;;
esac
(($# >= 3)) || fail $BAD_ARGUMENT 'the out folder or the majors are missing' "$usage"
out=$2
majors=("${@:3}")
for major in "${majors[@]}"; do
  [[ $major =~ ^[1-9][0-9]$ ]] || fail $BAD_ARGUMENT "the major is \"$major\"; must be as 15" "$usage"
done
if [[ -e $out && (! -d $out || -n $(ls -A "$out")) ]]; then
  fail $BAD_ARGUMENT "\"$out\" is there already; must be a new or an empty folder" 'name another folder, or empty this one yourself'
fi

[[ -d $out ]] && out_was_there=yes || out_was_there=no
clean_up() {
  rm -rf "$work"
  [[ $written != half ]] && return
  rm -rf "${out:?}"/pg*
  [[ $out_was_there == yes ]] || rmdir "$out"
}
trap clean_up EXIT
work=$(mktemp -d "${TMPDIR:-/tmp}/postgres-client-XXXXXX")

choose_package_source
prepare_packages
for major in "${majors[@]}"; do
  locate_major
  collect_major "$work/layer/pg$major"
done

# The same packages make the same bytes, names, modes and times. Zip knows no time before 1980.
find "$work/layer" -exec touch -h -d '2000-01-01T00:00:00Z' {} +
written=half
mkdir -p "$out"
cp -R --preserve=mode,timestamps "$work/layer/." "$out/"
# In a container this is root, but the folder belongs to the person outside, who must be able to remove it.
[[ $(id -u) != 0 ]] || chown -R --reference="$out" "$out"/pg*
written=yes
