// GetObject and HeadObject: conditions, one byte range, the headers stored with the object.
import type { FileHandle } from 'node:fs/promises';
import { isNotModified } from './check-conditions.ts';
import { chooseVersion } from './find-version.ts';
import { checksumHeaders, retentionHeaders, versionHeaders } from './object-headers.ts';
import { header, type StoreRequest } from './read-request.ts';
import { notImplemented, storeError } from './store-error.ts';
import type { OperationParts, StoreAnswer } from './store-operation.ts';

/** The object or a range of it; for HeadObject the same headers without the bytes. */
export async function readObject({ request, bucket, replication }: OperationParts): Promise<StoreAnswer> {
  const opened = await bucket.objects.open(request.key, (versions) => chooseVersion(request, bucket, versions));
  const { version, file } = opened;
  let handedOver = false;
  try {
    const described = {
      etag: `"${version.etag}"`,
      'last-modified': new Date(version.lastModified).toUTCString(),
      ...versionHeaders(version, bucket.versioned),
    };
    if (isNotModified(request, version)) return { status: 304, headers: described };

    const size = await sizeOf(file);
    const range = readRange(request, size);
    const whole = range === undefined;
    const { start, end } = range ?? { start: 0, end: size - 1 };
    const wantsChecksum = header(request, 'x-amz-checksum-mode') === 'ENABLED' && whole;
    const copied = replication?.({ bucket: bucket.name, key: request.key });
    const headers = {
      ...described,
      ...(copied !== undefined && { 'x-amz-replication-status': copied }),
      ...version.headers,
      ...retentionHeaders(version),
      ...(wantsChecksum && checksumHeaders(version)),
      'accept-ranges': 'bytes',
      'content-length': String(end - start + 1),
      ...(!whole && { 'content-range': `bytes ${start}-${end}/${size}` }),
    };
    const status = whole ? 200 : 206;
    if (request.operation === 'HeadObject' || size === 0) return { status, headers };
    handedOver = true;
    return { status, headers, file: { handle: file, start, end } };
  } finally {
    if (!handedOver) await file.close();
  }
}

/** The size on disk, not the recorded one: an object damaged by hand is served as it lies, so that readers can notice. */
async function sizeOf(file: FileHandle): Promise<number> {
  return (await file.stat()).size;
}

function readRange(request: StoreRequest, size: number): { start: number; end: number } | undefined {
  const value = header(request, 'range');
  if (value === undefined) return undefined;
  const parts = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(value);
  const [, first = '', last = ''] = parts ?? [];
  // S3 ignores several ranges and sends the whole object; said aloud here.
  if (first === '' && last === '') throw notImplemented(`range "${value}"`);

  const suffix = first === '';
  const start = suffix ? Math.max(0, size - Number(last)) : Number(first);
  const end = suffix || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start < size && start <= end) return { start, end };
  throw storeError('InvalidRange', 'The requested range is not satisfiable', {
    details: { RangeRequested: value, ActualObjectSize: String(size) },
    headers: { 'content-range': `bytes */${size}` },
  });
}
