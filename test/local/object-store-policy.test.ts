// The Deny statements of a bucket policy, as the deployed bucket has them.
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { startObjectStoreServer } from '../../local/object-store-server.ts';
import { startUpload } from '../support/object-store-conformance/multipart-steps.ts';
import { startOwnServer, temporaryDirectory } from '../support/object-store-conformance/own-server.ts';
import { expectRefusal } from '../support/object-store-conformance/target.ts';

const Bucket = 'bucket';
const deny = (statement: object) => ({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Deny', Principal: '*', Resource: ['arn:aws:s3:::bucket', 'arn:aws:s3:::bucket/*'], ...statement },
  ],
});
const start = async (policy: unknown) => await startOwnServer({ buckets: [{ name: Bucket, versioned: true, policy }] });

describe('bucket policy', () => {
  test('writes without If-None-Match are denied: a plain put is refused, a conditional one is stored', async () => {
    const { client } = await start(
      deny({ Action: 's3:PutObject', Condition: { Null: { 's3:if-none-match': 'true' } } }),
    );

    await expectRefusal(client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' })), 'AccessDenied', 403);
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', IfNoneMatch: '*' }));

    expect((await client.send(new GetObjectCommand({ Bucket, Key: 'a' }))).ContentLength).toBe(1);
    // S3 counts opening an upload as s3:PutObject too; the condition key below exempts it.
    await expectRefusal(client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'b' })), 'AccessDenied', 403);
  });

  test('only creations without If-None-Match are denied: uploads are opened and their completion needs the header', async () => {
    const Condition = { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } };
    const { client } = await start(deny({ Action: ['s3:PutObject'], Condition }));
    const target = { client, plainClient: client, bucket: Bucket, lockedBucket: '', key: (name: string) => name };
    const upload = await startUpload(target, client);
    const part = await upload.part(1, 'x');

    await expectRefusal(upload.complete([part]), 'AccessDenied', 403);
    await upload.complete([part], { IfNoneMatch: '*' });

    expect((await client.send(new GetObjectCommand({ Bucket, Key: upload.key }))).ContentLength).toBe(1);
  });

  test('deletion of versions under a prefix is denied: there alone and also in a batch', async () => {
    const { client } = await start(
      deny({ Action: 's3:DeleteObject*', Resource: 'arn:aws:s3:::bucket/sample/*/manifest.json' }),
    );
    const keys = ['sample/1/manifest.json', 'sample/1/toc.dat'];
    const Objects = [];
    for (const Key of keys) {
      const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
      Objects.push({ Key, VersionId });
    }

    await expectRefusal(
      client.send(new DeleteObjectCommand({ Bucket, ...Objects[0], Key: keys[0] })),
      'AccessDenied',
      403,
    );
    const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));

    expect(Deleted?.map((one) => one.Key)).toEqual([keys[1]]);
    expect(Errors?.map((one) => [one.Key, one.Code])).toEqual([[keys[0], 'AccessDenied']]);
  });

  test('plain HTTP and old TLS are denied: on loopback everything is served', async () => {
    const policy = deny({ Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
    const tls = deny({ Action: 's3:*', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } });
    const { client } = await start({ Statement: [...policy.Statement, ...tls.Statement] });

    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));

    expect((await client.send(new GetObjectCommand({ Bucket, Key: 'a' }))).ContentLength).toBe(1);
  });

  test.each([
    ['a condition key', { Action: 's3:*', Condition: { StringEquals: { 'aws:PrincipalArn': 'x' } } }],
    ['a principal other than everybody', { Action: 's3:*', Principal: { AWS: 'arn:aws:iam::1:role/expire' } }],
    ['NotAction', { NotAction: 's3:GetObject' }],
  ])('a Deny has %s that cannot be decided: the server does not start', async (_, statement) => {
    const directory = await temporaryDirectory();

    const started = startObjectStoreServer({ directory, buckets: [{ name: Bucket, policy: deny(statement) }] });

    await expect(started).rejects.toThrow(JobFailure);
    await expect(started).rejects.toThrow(/policy of local bucket "bucket" cannot be decided/);
  });

  test('an Allow is in the policy: it changes nothing and the denials still hold', async () => {
    const allow = {
      Effect: 'Allow',
      Principal: { Service: 'logging.s3.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: '*',
    };
    const { client } = await start({ Statement: [allow, ...deny({ Action: 's3:GetObject' }).Statement] });
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));

    const read = client.send(new GetObjectCommand({ Bucket, Key: 'a' }));
    await expect(read).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});
