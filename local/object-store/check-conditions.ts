// If-Match and If-None-Match. For writes they are checked under the bucket's lock together with the commit, so that of
// two writers exactly one wins; for reads they choose between the object, 304 and 412.
import { unquote } from './read-documents.ts';
import { header, type StoreRequest } from './read-request.ts';
import { notImplemented, storeError } from './store-error.ts';
import type { ObjectVersion } from './version-record.ts';

/** Throws PreconditionFailed, or NoSuchKey for an If-Match on an absent key, when a write is not allowed now. */
export function checkWriteConditions(request: StoreRequest, current: ObjectVersion | undefined): void {
  const ifMatch = header(request, 'if-match');
  const ifNoneMatch = header(request, 'if-none-match');
  if (ifMatch !== undefined && ifNoneMatch !== undefined) throw notImplemented('If-Match together with If-None-Match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw notImplemented('If-None-Match other than * for writes');
  if (ifNoneMatch !== undefined && current !== undefined) throw failed('If-None-Match');
  if (ifMatch === undefined) return;
  if (current === undefined) throw storeError('NoSuchKey', 'The specified key does not exist.');
  if (unquote(ifMatch) !== current.etag) throw failed('If-Match');
}

/** True when the reader's copy is still good (304); throws PreconditionFailed when If-Match does not hold. */
export function isNotModified(request: StoreRequest, version: ObjectVersion): boolean {
  const ifMatch = header(request, 'if-match');
  if (ifMatch !== undefined && !lists(ifMatch, version.etag)) throw failed('If-Match');
  const ifNoneMatch = header(request, 'if-none-match');
  return ifNoneMatch !== undefined && lists(ifNoneMatch, version.etag);
}

function lists(value: string, etag: string): boolean {
  return value.split(',').some((one) => one.trim() === '*' || unquote(one.trim()) === etag);
}

function failed(condition: string) {
  return storeError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    details: { Condition: condition },
  });
}
