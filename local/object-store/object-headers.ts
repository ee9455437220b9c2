// The headers that a client stores with an object and gets back with it, and those that describe a version.
import { contentEncodings } from './body-digests.ts';
import { header, type StoreRequest } from './read-request.ts';
import { storeError } from './store-error.ts';
import type { ObjectVersion, VersionRecord } from './version-record.ts';

const kept = ['cache-control', 'content-disposition', 'content-language', 'expires'];
const encryption = 'x-amz-server-side-encryption';
// Classes that are read like STANDARD. An archived object would have to refuse GetObject, which nothing here does.
const storageClasses = ['STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'];

/** The headers of a PutObject or CreateMultipartUpload that belong to the object. */
export function storedHeaders(request: StoreRequest): Record<string, string> {
  const encodings = contentEncodings(request).filter((name) => name !== 'aws-chunked');
  const stored: Record<string, string> = {
    // S3's own default, not the one of HTTP.
    'content-type': header(request, 'content-type') ?? 'binary/octet-stream',
    ...(encodings.length > 0 && { 'content-encoding': encodings.join(',') }),
  };
  for (const name of Object.keys(request.headers)) {
    const value = header(request, name);
    const belongs = kept.includes(name) || name.startsWith('x-amz-meta-') || name.startsWith(encryption);
    if (belongs && value !== undefined) stored[name] = value;
  }
  const storageClass = header(request, 'x-amz-storage-class') ?? 'STANDARD';
  if (!storageClasses.includes(storageClass)) {
    throw storeError('InvalidStorageClass', `The storage class you specified is not valid here: "${storageClass}"`);
  }
  return storageClass === 'STANDARD' ? stored : { ...stored, 'x-amz-storage-class': storageClass };
}

/** The encryption headers among stored ones; the answers to writes repeat them. */
export function encryptionHeaders(stored: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(stored).filter(([name]) => name.startsWith(encryption)));
}

/** The version id as S3 names it in answers; a bucket without versions names none. */
export function versionHeaders(version: VersionRecord, versioned: boolean): Record<string, string> {
  return {
    ...(versioned && { 'x-amz-version-id': version.versionId }),
    ...(version.kind === 'delete marker' && { 'x-amz-delete-marker': 'true' }),
  };
}

/** `x-amz-checksum-…` of a version, if it has one. */
export function checksumHeaders(version: Pick<ObjectVersion, 'checksum'>): Record<string, string> {
  const { checksum } = version;
  if (checksum === undefined) return {};
  return { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

/** The lock headers of a version, if it is retained. */
export function retentionHeaders(version: ObjectVersion): Record<string, string> {
  if (version.retention === undefined) return {};
  return {
    'x-amz-object-lock-mode': version.retention.mode,
    'x-amz-object-lock-retain-until-date': version.retention.until,
  };
}
