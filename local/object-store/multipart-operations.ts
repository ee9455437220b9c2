// CreateMultipartUpload, UploadPart, AbortMultipartUpload. Completion is in complete-upload.ts.
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readBodyDigests } from './body-digests.ts';
import type { Upload, UploadRequest } from './bucket-uploads.ts';
import { findAlgorithm } from './create-checksum.ts';
import { encryptionHeaders, storedHeaders } from './object-headers.ts';
import { requireDigest, retentionOfNew } from './object-lock.ts';
import { header, type StoreRequest } from './read-request.ts';
import { receiveFile } from './receive-body.ts';
import { notImplemented, storeError } from './store-error.ts';
import type { OperationParts, StoreAnswer } from './store-operation.ts';
import { writeXml } from './write-xml.ts';

/** Opens an upload. Without an algorithm the parts may or may not carry a checksum, as each of them likes. */
export async function createMultipartUpload({ request, bucket, clock }: OperationParts): Promise<StoreAnswer> {
  const upload = await bucket.uploads.create({
    key: request.key,
    headers: storedHeaders(request),
    retention: retentionOfNew(request, bucket, clock),
    checksum: readChecksumChoice(request),
  });
  const fields = [
    ['Bucket', bucket.name],
    ['Key', upload.key],
    ['UploadId', upload.uploadId],
  ] as const;
  return {
    status: 200,
    headers: {
      ...encryptionHeaders(upload.headers),
      ...(upload.checksum && {
        'x-amz-checksum-algorithm': upload.checksum.algorithm.toUpperCase(),
        'x-amz-checksum-type': upload.checksum.type,
      }),
    },
    document: writeXml('InitiateMultipartUploadResult', fields),
  };
}

/** Stores one part; the same number sent again replaces it. */
export async function uploadPart({ request, bucket }: OperationParts): Promise<StoreAnswer> {
  const partNumber = readPartNumber(request);
  requireDigest(request, bucket);
  const upload = bucket.uploads.find(request.key, request.query.get('uploadId') ?? '');
  checkPartChecksum(request, upload);

  const incoming = join(bucket.paths.incoming, randomUUID());
  const body = await receiveFile(request, incoming);
  try {
    const part = await bucket.uploads.addPart(upload, partNumber, incoming, body);
    const checksum = part.checksum && { [`x-amz-checksum-${part.checksum.algorithm}`]: part.checksum.value };
    return { status: 200, headers: { etag: `"${part.md5}"`, ...checksum, ...encryptionHeaders(upload.headers) } };
  } finally {
    // Gone already when it became the part.
    await rm(incoming, { force: true });
  }
}

/** Forgets the upload and its parts. */
export async function abortMultipartUpload({ request, bucket }: OperationParts): Promise<StoreAnswer> {
  const upload = bucket.uploads.find(request.key, request.query.get('uploadId') ?? '');
  await bucket.uploads.hold(upload, () => bucket.uploads.remove(upload));
  return { status: 204 };
}

function readChecksumChoice(request: StoreRequest): UploadRequest['checksum'] {
  const name = header(request, 'x-amz-checksum-algorithm');
  const type = header(request, 'x-amz-checksum-type');
  if (name === undefined) {
    if (type === undefined) return undefined;
    throw storeError(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  const algorithm = findAlgorithm(name);
  if (algorithm === undefined) throw notImplemented(`checksum "${name}"`);
  const fallback = algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE';
  const chosen = type ?? fallback;
  // CRCs can be put together over parts, SHA sums cannot; for CRC-64 S3 offers nothing else.
  const possible = algorithm.startsWith('sha')
    ? ['COMPOSITE']
    : ['FULL_OBJECT', ...(algorithm === 'crc64nvme' ? [] : ['COMPOSITE'])];
  if ((chosen === 'FULL_OBJECT' || chosen === 'COMPOSITE') && possible.includes(chosen))
    return { algorithm, type: chosen };
  throw storeError('InvalidRequest', `The ${chosen} checksum type cannot be used with the ${name} checksum algorithm.`);
}

function checkPartChecksum(request: StoreRequest, upload: Upload): void {
  if (upload.checksum === undefined) return;
  const sent = readBodyDigests(request).checksum?.algorithm;
  // The checksum of the whole object can be computed without the parts' own ones.
  if (sent === upload.checksum.algorithm || (sent === undefined && upload.checksum.type === 'FULL_OBJECT')) return;
  throw storeError(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksum.algorithm}, actual checksum Type: ${sent ?? 'null'}`,
  );
}

function readPartNumber(request: StoreRequest): number {
  const text = request.query.get('partNumber') ?? '';
  const number = /^[0-9]{1,6}$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (number >= 1 && number <= 10_000) return number;
  throw storeError('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive', {
    details: { ArgumentName: 'partNumber', ArgumentValue: text },
  });
}
