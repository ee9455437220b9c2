// DeleteObject and DeleteObjects. A version goes for good only when its id is named and no retention holds it.
import { promisesDigest } from './body-digests.ts';
import { checkPolicy } from './check-policy.ts';
import { versionHeaders } from './object-headers.ts';
import { checkRemovable } from './object-lock.ts';
import { readDeletion } from './read-documents.ts';
import { receiveText } from './receive-body.ts';
import { StoreError, storeError } from './store-error.ts';
import type { OperationParts, StoreAnswer } from './store-operation.ts';
import type { VersionRecord } from './version-record.ts';
import { writeXml, type XmlFields } from './write-xml.ts';

/** Deletes one object or version; an absent one is a success, as on S3. */
export async function deleteObject(parts: OperationParts): Promise<StoreAnswer> {
  const { request, bucket } = parts;
  const removed = await deleteOne(parts, request.key, request.query.get('versionId'));
  return { status: 204, headers: removed === undefined ? {} : versionHeaders(removed, bucket.versioned) };
}

/** Deletes up to 1,000; each has its own outcome in the answer. */
export async function deleteObjects(parts: OperationParts): Promise<StoreAnswer> {
  const { request, bucket } = parts;
  if (!promisesDigest(request)) {
    throw storeError('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  }
  const { objects, quiet } = readDeletion(await receiveText(request));
  const outcomes: [string, XmlFields][] = [];
  for (const { key, versionId } of objects) {
    const named = [
      ['Key', key],
      ['VersionId', versionId],
    ] as const;
    try {
      checkPolicy(bucket.policy, request, key, versionId);
      const removed = await deleteOne(parts, key, versionId);
      if (!quiet) outcomes.push(['Deleted', [...named, ...describe(removed)]]);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      outcomes.push(['Error', [...named, ['Code', error.code], ['Message', error.message]]]);
    }
  }
  return { status: 200, document: writeXml('DeleteResult', outcomes) };
}

async function deleteOne(
  { request, bucket, clock }: OperationParts,
  key: string,
  versionId: string | undefined,
): Promise<VersionRecord | undefined> {
  if (versionId === undefined) return await bucket.objects.deleteKey(key);
  return await bucket.objects.deleteVersion(key, versionId, (version) => checkRemovable(request, version, clock));
}

function describe(removed: VersionRecord | undefined): XmlFields {
  return removed?.kind === 'delete marker'
    ? [
        ['DeleteMarker', true],
        ['DeleteMarkerVersionId', removed.versionId],
      ]
    : [];
}
