// CompleteMultipartUpload: joins the parts into one plain file and makes it the object. The upload lives on when
// anything refuses, so that the caller can mend the list and ask again.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readChecksumHeader } from './body-digests.ts';
import type { Upload, UploadedPart } from './bucket-uploads.ts';
import { checkWriteConditions } from './check-conditions.ts';
import { chooseParts } from './choose-parts.ts';
import { createChecksum, type RunningChecksum } from './create-checksum.ts';
import { encryptionHeaders, versionHeaders } from './object-headers.ts';
import { checksumElement, readCompletion } from './read-documents.ts';
import { header, type StoreRequest } from './read-request.ts';
import { receiveText } from './receive-body.ts';
import { storeError } from './store-error.ts';
import type { OperationParts, StoreAnswer } from './store-operation.ts';
import { currentObject, type ObjectDraft, type StoredChecksum } from './version-record.ts';
import { type PieceWriter, writePieces } from './write-pieces.ts';
import { writeXml } from './write-xml.ts';

const copyBytes = 1024 ** 2;

/** Makes the object of an upload, or throws and keeps the upload. */
export async function completeMultipartUpload({ request, bucket }: OperationParts): Promise<StoreAnswer> {
  const { key } = request;
  const upload = bucket.uploads.find(key, request.query.get('uploadId') ?? '');
  const listed = readCompletion(await receiveText(request));

  return await bucket.uploads.hold(upload, async () => {
    const parts = chooseParts(upload, bucket.uploads.parts(upload), listed);
    checkWriteConditions(request, currentObject({ key, plain: false, versions: bucket.objects.versions(key) }));
    const incoming = join(bucket.paths.incoming, randomUUID());
    try {
      const draft = await joinParts(upload, parts, incoming);
      checkPromises(request, draft);
      const version = await bucket.objects.put(key, draft, incoming, (current) =>
        checkWriteConditions(request, current),
      );
      await bucket.uploads.remove(upload);
      const { checksum } = version;
      const fields = [
        ['Location', `/${bucket.name}/${key}`],
        ['Bucket', bucket.name],
        ['Key', key],
        ['ETag', `"${version.etag}"`],
        ...(checksum === undefined
          ? []
          : ([
              [checksumElement(checksum.algorithm), checksum.value],
              ['ChecksumType', checksum.type],
            ] as const)),
      ] as const;
      return {
        status: 200,
        headers: { ...versionHeaders(version, bucket.versioned), ...encryptionHeaders(version.headers) },
        document: writeXml('CompleteMultipartUploadResult', fields),
      };
    } finally {
      // Gone already when it became the object.
      await rm(incoming, { force: true });
    }
  });
}

async function joinParts(upload: Upload, parts: readonly UploadedPart[], file: string): Promise<ObjectDraft> {
  const [only] = parts;
  const whole = upload.checksum?.type === 'FULL_OBJECT' ? createChecksum(upload.checksum.algorithm) : undefined;
  // A second name instead of a copy: most tables fit one part.
  if (only !== undefined && parts.length === 1 && whole === undefined) await link(only.file, file);
  else await writePieces(file, (writer) => copyParts(parts, writer, whole));
  return {
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: `${digestOf(
      'md5',
      parts.map((part) => Buffer.from(part.md5, 'hex')),
    )}-${parts.length}`,
    headers: upload.headers,
    retention: upload.retention,
    checksum:
      whole === undefined ? compositeChecksum(upload, parts) : finish(upload, whole.digest().toString('base64')),
  };
}

async function copyParts(
  parts: readonly UploadedPart[],
  writer: PieceWriter,
  whole: RunningChecksum | undefined,
): Promise<void> {
  for (const part of parts) {
    for await (const piece of createReadStream(part.file, { highWaterMark: copyBytes }) as AsyncIterable<Buffer>) {
      whole?.update(piece);
      await writer.write(piece);
    }
  }
}

function finish(upload: Upload, value: string): StoredChecksum | undefined {
  return upload.checksum && { ...upload.checksum, value };
}

/** S3's composite checksum: the algorithm over the raw checksums of the parts, with the number of parts behind it. */
function compositeChecksum(upload: Upload, parts: readonly UploadedPart[]): StoredChecksum | undefined {
  if (upload.checksum === undefined) return undefined;
  const running = createChecksum(upload.checksum.algorithm);
  for (const part of parts) running.update(Buffer.from(part.checksum?.value ?? '', 'base64'));
  return finish(upload, `${running.digest().toString('base64')}-${parts.length}`);
}

function checkPromises(request: StoreRequest, draft: ObjectDraft): void {
  const size = header(request, 'x-amz-mp-object-size');
  if (size !== undefined && size !== String(draft.size)) {
    throw storeError(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header is ${size}, the object has ${draft.size} bytes`,
    );
  }
  const type = header(request, 'x-amz-checksum-type');
  if (type !== undefined && type !== draft.checksum?.type) {
    throw storeError(
      'InvalidRequest',
      `The upload was created with checksum type ${draft.checksum?.type ?? 'null'}, not ${type}`,
    );
  }
  const promised = readChecksumHeader(request);
  if (promised === undefined) return;
  if (draft.checksum?.algorithm !== promised.algorithm || draft.checksum.value !== promised.value) {
    throw storeError(
      'BadDigest',
      `The ${promised.algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
    );
  }
}

function digestOf(algorithm: string, pieces: readonly Buffer[]): string {
  const hash = createHash(algorithm);
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
