// The list of checks that an S3 endpoint must pass to be used by Nightshift or to stand in for S3, over the real SDK.
// Run by test/local/object-store-conformance.test.ts against our own server or against the endpoint in S3_ENDPOINT.
import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { conditionChecks } from './object-store-conformance/condition-checks.ts';
import { integrityChecks } from './object-store-conformance/integrity-checks.ts';
import { listingChecks } from './object-store-conformance/listing-checks.ts';
import { lockChecks } from './object-store-conformance/lock-checks.ts';
import { multipartChecks } from './object-store-conformance/multipart-checks.ts';
import { multipartRefusalChecks } from './object-store-conformance/multipart-refusal-checks.ts';
import { objectChecks } from './object-store-conformance/object-checks.ts';
import type { ConformanceCheck, ConformanceTarget } from './object-store-conformance/target.ts';
import { versionChecks } from './object-store-conformance/version-checks.ts';

/** All checks; those on object lock only for a target with a locked bucket. */
export function conformanceChecks(hasLockedBucket: boolean): readonly ConformanceCheck[] {
  return [
    ...objectChecks,
    ...integrityChecks,
    ...conditionChecks,
    ...listingChecks,
    ...versionChecks,
    ...multipartChecks,
    ...multipartRefusalChecks,
    ...(hasLockedBucket ? lockChecks : []),
  ];
}

/** Two clients on one endpoint, and a key prefix that no other run uses. The bucket must keep versions. */
export function connectTarget(
  config: S3ClientConfig,
  bucket: string,
  lockedBucket: string | undefined,
): ConformanceTarget & { readonly prefix: string; close(): Promise<void> } {
  // An IP address is addressed by path anyway; a host name of another implementation needs to be told.
  const common = { ...config, forcePathStyle: true };
  const client = new S3Client(common);
  const plainClient = new S3Client({ ...common, requestChecksumCalculation: 'WHEN_REQUIRED' });
  const prefix = `nightshift-conformance/${randomUUID()}/`;
  return {
    client,
    plainClient,
    bucket,
    lockedBucket: lockedBucket ?? '',
    prefix,
    key: (name) => `${prefix}${randomUUID()}/${name}`,
    async close() {
      for (const name of [bucket, lockedBucket]) if (name !== undefined) await removeAll(client, name, prefix);
      client.destroy();
      plainClient.destroy();
    },
  };
}

/** Versions, markers and unfinished uploads under a prefix; retained versions too, by governance bypass. */
async function removeAll(client: S3Client, Bucket: string, Prefix: string): Promise<void> {
  for (;;) {
    const page = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix, EncodingType: 'url' }));
    const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    for (const { Key = '', VersionId } of found) {
      const decoded = decodeURIComponent(Key.replaceAll('+', '%20'));
      await client.send(new DeleteObjectCommand({ Bucket, Key: decoded, VersionId, BypassGovernanceRetention: true }));
    }
    if (found.length === 0) break;
  }
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
  for (const { Key, UploadId } of Uploads)
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
}
