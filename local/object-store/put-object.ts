// PutObject: the body streams to a file in the side folder and becomes the object in one step under the bucket's lock.
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkWriteConditions } from './check-conditions.ts';
import { checksumHeaders, encryptionHeaders, storedHeaders, versionHeaders } from './object-headers.ts';
import { requireDigest, retentionOfNew } from './object-lock.ts';
import { receiveFile } from './receive-body.ts';
import type { OperationParts, StoreAnswer } from './store-operation.ts';
import { currentObject } from './version-record.ts';

/** Stores an object, or throws and leaves the key as it was. */
export async function putObject({ request, bucket, clock }: OperationParts): Promise<StoreAnswer> {
  requireDigest(request, bucket);
  const headers = storedHeaders(request);
  const retention = retentionOfNew(request, bucket, clock);
  // Asked before the body as well, so that a large one is not sent for nothing.
  const { key } = request;
  checkWriteConditions(request, currentObject({ key, plain: false, versions: bucket.objects.versions(key) }));

  const incoming = join(bucket.paths.incoming, randomUUID());
  const body = await receiveFile(request, incoming);
  const checksum = body.checksum && { ...body.checksum, type: 'FULL_OBJECT' as const };
  try {
    const draft = { size: body.size, etag: body.md5, headers, checksum, retention };
    const version = await bucket.objects.put(key, draft, incoming, (current) => checkWriteConditions(request, current));
    return {
      status: 200,
      headers: {
        etag: `"${version.etag}"`,
        ...versionHeaders(version, bucket.versioned),
        ...checksumHeaders(version),
        ...encryptionHeaders(headers),
      },
    };
  } finally {
    // Gone already when it became the object.
    await rm(incoming, { force: true });
  }
}
