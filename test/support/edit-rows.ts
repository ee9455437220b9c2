// Changes the rows of a table in a stored backup, and all checksums of the manifest with them.
import { readFileSync } from 'node:fs';
import { crc32, gunzipSync } from 'node:zlib';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type StoredBackup, sha256, tableOf } from './changed-backup.ts';
import { BUCKET } from './local-aws.ts';
import { CLOSING_MARK, member } from './stored-archive.ts';

/** Runs `use` while the table of one range holds what `change` makes of its COPY text, as another version of its object. */
export async function withRows(
  backup: StoredBackup,
  table: string,
  change: (text: string) => string,
  use: () => Promise<void>,
): Promise<void> {
  const { key } = tableOf(backup.readManifest(), table);
  const before = gunzipSync(readFileSync(backup.pathOf(key)))
    .toString('utf8')
    .slice(0, -CLOSING_MARK.length);
  const text = change(before);
  if (text === before) throw new Error('nothing was changed');
  const stored = member('gzip', text);
  const whole = Buffer.concat([stored, member('gzip', CLOSING_MARK)]);
  const client = new S3Client({});
  const put = await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: whole }));
  try {
    await backup.withManifest((manifest) => {
      const found = tableOf(manifest, table);
      const [range] = found.ranges;
      if (range === undefined || found.ranges.length > 1) throw new Error(`${table} has not one range`);
      const bytes = Buffer.byteLength(text);
      Object.assign(range, {
        rows: text.split('\n').length - 1,
        bytes,
        crc32: crc32(text).toString(16).padStart(8, '0'),
        sha256: sha256(stored),
        length: stored.length,
      });
      Object.assign(found, { bytes });
      for (const object of manifest.objects) if (object.key === key) object.bytes = whole.length;
    }, use);
  } finally {
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key, VersionId: put.VersionId }));
    client.destroy();
  }
}
