// ListMultipartUploads and ListParts.
import { compareBytes, cutPage } from './cut-page.ts';
import { checksumElement } from './read-documents.ts';
import { encodeNames, readCount, readPageRequest } from './read-page-request.ts';
import type { OperationParts, StoreAnswer } from './store-operation.ts';
import { writeXml } from './write-xml.ts';

const largestPage = 1000;

/** The uploads that are neither completed nor aborted, by key, then oldest first. */
export async function listMultipartUploads({ request, bucket }: OperationParts): Promise<StoreAnswer> {
  const keyMarker = request.query.get('key-marker');
  const idMarker = request.query.get('upload-id-marker');
  const after = keyMarker === undefined || keyMarker === '' ? undefined : { key: keyMarker, id: idMarker };
  const asked = readPageRequest(request.query, 'max-uploads', after);
  const encode = encodeNames(request.query);
  const uploads = bucket.uploads
    .list()
    .map((upload) => ({ ...upload, id: upload.uploadId }))
    .toSorted((a, b) => compareBytes(a.key, b.key) || compareBytes(a.id, b.id));

  const page = cutPage(uploads, asked);
  const document = writeXml('ListMultipartUploadsResult', [
    ['Bucket', bucket.name],
    ['KeyMarker', encode(keyMarker ?? '')],
    ['UploadIdMarker', idMarker ?? ''],
    ['NextKeyMarker', page.next && encode(page.next.key)],
    ['NextUploadIdMarker', page.next?.id],
    ['Prefix', encode(asked.prefix)],
    ['Delimiter', asked.delimiter === '' ? undefined : encode(asked.delimiter)],
    ['MaxUploads', asked.size],
    ['EncodingType', request.query.get('encoding-type')],
    ['IsTruncated', page.next !== undefined],
    ...page.entries.map(
      (upload) =>
        [
          'Upload',
          [
            ['Key', encode(upload.key)],
            ['UploadId', upload.uploadId],
            ['Initiated', upload.initiated],
            ['StorageClass', upload.headers['x-amz-storage-class'] ?? 'STANDARD'],
            ['ChecksumAlgorithm', upload.checksum?.algorithm.toUpperCase()],
            ['ChecksumType', upload.checksum?.type],
          ],
        ] as const,
    ),
    ...page.commonPrefixes.map((prefix) => ['CommonPrefixes', [['Prefix', encode(prefix)]]] as const),
  ]);
  return { status: 200, document };
}

/** The parts of one upload in the order of their numbers. */
export async function listParts({ request, bucket }: OperationParts): Promise<StoreAnswer> {
  const upload = bucket.uploads.find(request.key, request.query.get('uploadId') ?? '');
  const size = Math.min(readCount(request.query, 'max-parts') ?? largestPage, largestPage);
  const marker = readCount(request.query, 'part-number-marker') ?? 0;
  const behind = bucket.uploads.parts(upload).filter((part) => part.partNumber > marker);
  const parts = behind.slice(0, size);
  const isTruncated = behind.length > parts.length;

  const document = writeXml('ListPartsResult', [
    ['Bucket', bucket.name],
    ['Key', upload.key],
    ['UploadId', upload.uploadId],
    ['StorageClass', upload.headers['x-amz-storage-class'] ?? 'STANDARD'],
    ['PartNumberMarker', marker],
    ['NextPartNumberMarker', isTruncated ? parts.at(-1)?.partNumber : undefined],
    ['MaxParts', size],
    ['IsTruncated', isTruncated],
    ['ChecksumAlgorithm', upload.checksum?.algorithm.toUpperCase()],
    ['ChecksumType', upload.checksum?.type],
    ...parts.map(
      (part) =>
        [
          'Part',
          [
            ['PartNumber', part.partNumber],
            ['LastModified', part.lastModified],
            ['ETag', `"${part.md5}"`],
            ['Size', part.size],
            ...(part.checksum === undefined
              ? []
              : ([[checksumElement(part.checksum.algorithm), part.checksum.value]] as const)),
          ],
        ] as const,
    ),
  ]);
  return { status: 200, document };
}
