// What a conformance check is given, and the few steps that many checks share.
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';

export interface ConformanceTarget {
  /** As the SDK is by default: CRC-32 on every upload. */
  readonly client: S3Client;
  /** Sends a checksum only where S3 requires one. */
  readonly plainClient: S3Client;
  readonly bucket: string;
  /** Empty when there is none; then no check asks for it. */
  readonly lockedBucket: string;
  /** A key that no other check uses. */
  key(name: string): string;
}

export interface ConformanceCheck {
  readonly name: string;
  run(target: ConformanceTarget): Promise<void>;
}

/** The same check with each of the two clients. */
export function withBothClients(
  name: string,
  run: (target: ConformanceTarget, client: S3Client) => Promise<void>,
): ConformanceCheck[] {
  return [
    { name: `${name} (SDK's default checksums)`, run: (target) => run(target, target.client) },
    { name: `${name} (checksums only when required)`, run: (target) => run(target, target.plainClient) },
  ];
}

/** Stores an object with the default client. */
export async function put(target: ConformanceTarget, Key: string, Body: PutObjectCommandInput['Body']) {
  return await target.client.send(new PutObjectCommand({ Bucket: target.bucket, Key, Body }));
}

/** The bytes of an object as text. */
export async function read(target: ConformanceTarget, Key: string, VersionId?: string): Promise<string> {
  const { Body } = await target.client.send(new GetObjectCommand({ Bucket: target.bucket, Key, VersionId }));
  return (await Body?.transformToString()) ?? '';
}

/** True when the key has a current object. */
export async function exists(target: ConformanceTarget, Key: string): Promise<boolean> {
  return await target.client.send(new HeadObjectCommand({ Bucket: target.bucket, Key })).then(
    () => true,
    (error: unknown) => {
      expect(statusOf(error)).toBe(404);
      return false;
    },
  );
}

/** Expects S3's refusal with this code and status. */
export async function expectRefusal(
  request: Promise<unknown>,
  code: string | readonly string[],
  status: number,
): Promise<void> {
  const error = await request.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const outcome = error instanceof Error ? `${error.name}: ${error.message}` : 'the request was accepted';
  expect(error, `${outcome}; ${String(code)} was expected`).toBeInstanceOf(S3ServiceException);
  expect(typeof code === 'string' ? [code] : code).toContain((error as S3ServiceException).name);
  expect(statusOf(error)).toBe(status);
}

/** The HTTP status of an SDK error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}
