// The version that a request names, or S3's refusal for a missing key, a missing version or a delete marker.
import { versionHeaders } from './object-headers.ts';
import type { Bucket } from './open-bucket.ts';
import type { StoreRequest } from './read-request.ts';
import { storeError } from './store-error.ts';
import type { ObjectVersion, VersionRecord } from './version-record.ts';

/** Throws NoSuchKey, NoSuchVersion, or MethodNotAllowed for a marker named by its id. */
export function findVersion(request: StoreRequest, bucket: Bucket): ObjectVersion {
  return chooseVersion(request, bucket, bucket.objects.versions(request.key));
}

/** The same over versions that the caller has read under the lock. */
export function chooseVersion(
  request: StoreRequest,
  bucket: Bucket,
  versions: readonly VersionRecord[],
): ObjectVersion {
  const versionId = request.query.get('versionId');
  const found = versionId === undefined ? versions[0] : versions.find((version) => version.versionId === versionId);
  if (found?.kind === 'object') return found;
  const details = { Key: request.key };
  if (found === undefined && versionId !== undefined) {
    throw storeError('NoSuchVersion', 'The specified version does not exist.', {
      details: { ...details, VersionId: versionId },
    });
  }
  const headers = found === undefined ? {} : versionHeaders(found, bucket.versioned);
  if (versionId === undefined) throw storeError('NoSuchKey', 'The specified key does not exist.', { details, headers });
  throw storeError('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    details: { ...details, Method: request.method, ResourceType: 'DeleteMarker' },
    headers: { ...headers, allow: 'DELETE' },
  });
}
