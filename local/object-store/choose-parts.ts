// Checks the part list of a CompleteMultipartUpload against the uploaded parts, by S3's rules. Called under the upload's
// lock by complete-upload.ts.
import type { Upload, UploadedPart } from './bucket-uploads.ts';
import type { CompletedPart } from './read-documents.ts';
import { storeError } from './store-error.ts';

// S3's smallest part, the last one excepted.
const smallestPart = 5 * 1024 ** 2;

/** The uploaded parts in the order of the list; throws InvalidPartOrder, InvalidPart, InvalidRequest or EntityTooSmall. */
export function chooseParts(
  upload: Upload,
  uploaded: readonly UploadedPart[],
  listed: readonly CompletedPart[],
): readonly UploadedPart[] {
  for (const [index, part] of listed.entries()) {
    const before = listed[index - 1];
    if (before !== undefined && before.partNumber >= part.partNumber)
      throw wrongOrder('must be listed in ascending order');
  }
  const byNumber = new Map(uploaded.map((part) => [part.partNumber, part]));
  const chosen = listed.map((part) => checkPart(upload, part, byNumber.get(part.partNumber)));
  checkGaps(chosen, listed);
  checkSizes(chosen);
  return chosen;
}

function checkPart(upload: Upload, listed: CompletedPart, part: UploadedPart | undefined): UploadedPart {
  const { partNumber } = listed;
  const details = { UploadId: upload.uploadId, PartNumber: String(partNumber), ETag: listed.etag };
  const wrong = () =>
    storeError(
      'InvalidPart',
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      { details },
    );
  if (part === undefined || part.md5 !== listed.etag) throw wrong();
  for (const [algorithm, value] of listed.checksums) {
    if (part.checksum?.algorithm !== algorithm || part.checksum.value !== value) throw wrong();
  }
  const { checksum } = upload;
  if (checksum?.type === 'COMPOSITE' && !listed.checksums.has(checksum.algorithm)) {
    throw storeError(
      'InvalidRequest',
      `The upload was created using a ${checksum.algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${partNumber} in the request.`,
    );
  }
  return part;
}

/** Gaps between part numbers are fine, but not where a part carries an additional checksum: then they run from 1 on. */
function checkGaps(chosen: readonly UploadedPart[], listed: readonly CompletedPart[]): void {
  const hasChecksum =
    chosen.some((part) => part.checksum !== undefined) || listed.some((part) => part.checksums.size > 0);
  const hasGap = chosen.some((part, index) => part.partNumber !== index + 1);
  if (hasChecksum && hasGap) throw wrongOrder('must start at 1 and be consecutive when parts carry a checksum');
}

function checkSizes(chosen: readonly UploadedPart[]): void {
  const small = chosen.slice(0, -1).find((part) => part.size < smallestPart);
  if (small === undefined) return;
  throw storeError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
    details: {
      ProposedSize: String(small.size),
      MinSizeAllowed: String(smallestPart),
      PartNumber: String(small.partNumber),
      ETag: small.md5,
    },
  });
}

function wrongOrder(rule: string) {
  return storeError('InvalidPartOrder', `The list of parts was not in the order it must have: part numbers ${rule}.`);
}
