// Reads one large object back; what the manifest says of the contents is compared when all of them are known.
import { createHash } from 'node:crypto';
import type { DataCodec } from '../shared/archive-data/codec.ts';
import { readStored, type Source } from '../shared/archive-data/read-stored.ts';
import type { StoredLargeObject } from '../shared/backup-files.ts';
import { decodeStored } from './decode-stored.ts';
import type { LargeObjectRead } from './work-contract.ts';

/** Size and SHA-256 of the content, and every difference of what is stored; the SHA-256 is null when there is one. */
export async function readLargeObject(
  source: Source,
  codec: DataCodec,
  { oid, object }: StoredLargeObject,
): Promise<LargeObjectRead & { problems: string[] }> {
  const content = createHash('sha256');
  let bytes = 0;
  const decoded = await decodeStored(readStored(source, object.key, 0, object.bytes), {
    codec,
    length: object.bytes,
    take: (piece) => {
      bytes += piece.length;
      content.update(piece);
    },
  });
  const problems = decoded.problem === undefined ? [] : [decoded.problem];
  if (decoded.isMissing) return { oid, bytes, sha256: null, problems };
  if (decoded.stored !== object.bytes) problems.push(`stored bytes: ${decoded.stored}, must be ${object.bytes}`);
  if (decoded.sha256 !== object.sha256)
    problems.push(
      `SHA-256 of the stored bytes: ${decoded.sha256}, must be ${object.sha256 ?? 'in the manifest, which has none'}`,
    );
  return { oid, bytes, sha256: problems.length === 0 ? content.digest('hex') : null, problems };
}
