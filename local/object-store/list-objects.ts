// ListObjectsV2 and ListObjectVersions.
import { cutPage } from './cut-page.ts';
import { checksumElement } from './read-documents.ts';
import { encodeNames, readPageRequest } from './read-page-request.ts';
import { storeError } from './store-error.ts';
import type { OperationParts, StoreAnswer } from './store-operation.ts';
import type { ObjectVersion, VersionRecord } from './version-record.ts';
import { writeXml, type XmlFields } from './write-xml.ts';

/** The current objects of a bucket, by pages of at most 1,000. */
export async function listObjectsV2({ request, bucket }: OperationParts): Promise<StoreAnswer> {
  const token = request.query.get('continuation-token');
  const startAfter = request.query.get('start-after');
  const afterKey = token === undefined ? startAfter : readToken(token);
  const asked = readPageRequest(request.query, 'max-keys', afterKey === undefined ? undefined : { key: afterKey });
  const encode = encodeNames(request.query);
  const objects = bucket.objects.keys().flatMap((key) => {
    const [version] = bucket.objects.versions(key);
    return version?.kind === 'object' ? [{ key, id: '', version }] : [];
  });

  const page = cutPage(objects, asked);
  const document = writeXml('ListBucketResult', [
    ['Name', bucket.name],
    ['Prefix', encode(asked.prefix)],
    ['Delimiter', asked.delimiter === '' ? undefined : encode(asked.delimiter)],
    ['StartAfter', startAfter === undefined ? undefined : encode(startAfter)],
    ['ContinuationToken', token],
    ['NextContinuationToken', page.next && writeToken(page.next.key)],
    ['KeyCount', page.entries.length + page.commonPrefixes.length],
    ['MaxKeys', asked.size],
    ['EncodingType', request.query.get('encoding-type')],
    ['IsTruncated', page.next !== undefined],
    ...page.entries.map(({ key, version }) => ['Contents', describeObject(encode(key), version)] as const),
    ...page.commonPrefixes.map((prefix) => ['CommonPrefixes', [['Prefix', encode(prefix)]]] as const),
  ]);
  return { status: 200, document };
}

/** All versions and delete markers, newest first within a key. */
export async function listObjectVersions({ request, bucket }: OperationParts): Promise<StoreAnswer> {
  const keyMarker = request.query.get('key-marker');
  const idMarker = request.query.get('version-id-marker');
  const after = keyMarker === undefined || keyMarker === '' ? undefined : { key: keyMarker, id: idMarker };
  const asked = readPageRequest(request.query, 'max-keys', after);
  const encode = encodeNames(request.query);
  const versions = bucket.objects
    .keys()
    .flatMap((key) =>
      bucket.objects
        .versions(key)
        .map((version, index) => ({ key, id: version.versionId, version, isLatest: index === 0 })),
    );

  const page = cutPage(versions, asked);
  const document = writeXml('ListVersionsResult', [
    ['Name', bucket.name],
    ['Prefix', encode(asked.prefix)],
    ['Delimiter', asked.delimiter === '' ? undefined : encode(asked.delimiter)],
    ['KeyMarker', encode(keyMarker ?? '')],
    ['VersionIdMarker', idMarker ?? ''],
    ['NextKeyMarker', page.next && encode(page.next.key)],
    ['NextVersionIdMarker', page.next?.id],
    ['MaxKeys', asked.size],
    ['EncodingType', request.query.get('encoding-type')],
    ['IsTruncated', page.next !== undefined],
    ...page.entries.map((entry) => describeVersion(encode(entry.key), entry.version, entry.isLatest)),
    ...page.commonPrefixes.map((prefix) => ['CommonPrefixes', [['Prefix', encode(prefix)]]] as const),
  ]);
  return { status: 200, document };
}

function describeVersion(key: string, version: VersionRecord, isLatest: boolean): readonly [string, XmlFields] {
  const ids = [
    ['VersionId', version.versionId],
    ['IsLatest', isLatest],
  ] as const;
  if (version.kind === 'object') return ['Version', [...describeObject(key, version), ...ids]];
  return ['DeleteMarker', [['Key', key], ...ids, ['LastModified', version.lastModified]]];
}

function describeObject(key: string, version: ObjectVersion): XmlFields {
  const { checksum } = version;
  return [
    ['Key', key],
    ['LastModified', version.lastModified],
    ['ETag', `"${version.etag}"`],
    ['ChecksumAlgorithm', checksum && checksumElement(checksum.algorithm).replace('Checksum', '')],
    ['ChecksumType', checksum?.type],
    ['Size', version.size],
    ['StorageClass', version.headers['x-amz-storage-class'] ?? 'STANDARD'],
  ];
}

function writeToken(key: string): string {
  return Buffer.from(key).toString('base64url');
}

function readToken(token: string): string {
  const key = Buffer.from(token, 'base64url').toString();
  if (token !== '' && writeToken(key) === token) return key;
  throw storeError('InvalidArgument', 'The continuation token provided is incorrect');
}
