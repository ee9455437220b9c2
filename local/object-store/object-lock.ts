// Object lock: the retention a new version gets, who may remove a retained one, PutObjectRetention, GetObjectRetention.
import type { Clock } from '../../functions/shared/clock.ts';
import { promisesDigest } from './body-digests.ts';
import { findVersion } from './find-version.ts';
import type { Bucket } from './open-bucket.ts';
import { checkRetention, readRetention } from './read-documents.ts';
import { header, type StoreRequest } from './read-request.ts';
import { receiveText } from './receive-body.ts';
import { storeError } from './store-error.ts';
import type { OperationParts, StoreAnswer } from './store-operation.ts';
import type { Retention, VersionRecord } from './version-record.ts';
import { writeXml } from './write-xml.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** The retention of a new object: what the request asks for, else the bucket's default. */
export function retentionOfNew(
  request: StoreRequest,
  bucket: Bucket,
  clock: Pick<Clock, 'now'>,
): Retention | undefined {
  const mode = header(request, 'x-amz-object-lock-mode');
  const until = header(request, 'x-amz-object-lock-retain-until-date');
  if (mode !== undefined || until !== undefined) {
    if (mode === undefined || until === undefined) {
      throw storeError(
        'InvalidArgument',
        'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied',
      );
    }
    requireLock(bucket);
    return checkFuture(checkRetention(mode, until), clock);
  }
  if (bucket.retentionDays === 0) return undefined;
  return { mode: 'GOVERNANCE', until: new Date(clock.now().getTime() + bucket.retentionDays * dayMs).toISOString() };
}

/** Refuses an upload into a locked bucket that carries neither Content-MD5 nor an additional checksum, as S3 does. */
export function requireDigest(request: StoreRequest, bucket: Bucket): void {
  if (!bucket.locked || promisesDigest(request)) return;
  const what = request.operation === 'UploadPart' ? 'Put Part' : 'Put Object';
  throw storeError(
    'InvalidRequest',
    `Content-MD5 OR x-amz-checksum- HTTP header is required for ${what} requests with Object Lock parameters`,
  );
}

/** Throws AccessDenied when a version is retained and the caller does not (or may not) bypass that. */
export function checkRemovable(request: StoreRequest, version: VersionRecord, clock: Pick<Clock, 'now'>): void {
  if (version.kind === 'object') checkReleasable(request, version.retention, clock);
}

/** PutObjectRetention: may always be set and prolonged, shortened only under governance with a bypass. */
export async function putObjectRetention({ request, bucket, clock }: OperationParts): Promise<StoreAnswer> {
  requireLock(bucket);
  if (!promisesDigest(request)) {
    throw storeError('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  }
  const wanted = checkFuture(readRetention(await receiveText(request)), clock);
  const { versionId } = findVersion(request, bucket);
  await bucket.objects.setRetention(request.key, versionId, ({ retention: held }) => {
    const weaker =
      held !== undefined && (wanted.until < held.until || (held.mode === 'COMPLIANCE' && wanted.mode !== held.mode));
    if (weaker) checkReleasable(request, held, clock);
    return wanted;
  });
  return { status: 200 };
}

/** GetObjectRetention; throws NoSuchObjectLockConfiguration when the version is not retained. */
export async function getObjectRetention({ request, bucket }: OperationParts): Promise<StoreAnswer> {
  requireLock(bucket);
  const { retention } = findVersion(request, bucket);
  if (retention === undefined) {
    throw storeError('NoSuchObjectLockConfiguration', 'The specified object does not have a ObjectLock configuration');
  }
  const fields = [
    ['Mode', retention.mode],
    ['RetainUntilDate', retention.until],
  ] as const;
  return { status: 200, document: writeXml('Retention', fields) };
}

function checkReleasable(request: StoreRequest, held: Retention | undefined, clock: Pick<Clock, 'now'>): void {
  if (held === undefined || new Date(held.until) <= clock.now()) return;
  // Every signed caller counts as the owner here; on AWS the bypass also needs its own permission.
  const bypass = header(request, 'x-amz-bypass-governance-retention') === 'true';
  if (held.mode === 'GOVERNANCE' && bypass) return;
  throw storeError('AccessDenied', 'Access Denied because object protected by object lock.');
}

function checkFuture(retention: Retention, clock: Pick<Clock, 'now'>): Retention {
  if (new Date(retention.until) > clock.now()) return retention;
  throw storeError('InvalidArgument', 'The retain until date must be in the future!');
}

function requireLock(bucket: Bucket): void {
  if (!bucket.locked) throw storeError('InvalidRequest', 'Bucket is missing Object Lock Configuration');
}
