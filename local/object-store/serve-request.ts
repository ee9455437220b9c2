// The way of one request through the store: fault, signature, operation, bucket, policy, the operation itself, answer.
// Called for each HTTP request; whatever is thrown becomes an XML error, never a dropped connection.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../functions/shared/clock.ts';
import { checkPolicy } from './check-policy.ts';
import { completeMultipartUpload } from './complete-upload.ts';
import type { Faults } from './create-faults.ts';
import { deleteObject, deleteObjects } from './delete-objects.ts';
import { listObjectsV2, listObjectVersions } from './list-objects.ts';
import { listMultipartUploads, listParts } from './list-uploads.ts';
import { abortMultipartUpload, createMultipartUpload, uploadPart } from './multipart-operations.ts';
import { checkHeaders, type Operation } from './name-operation.ts';
import { getObjectRetention, putObjectRetention } from './object-lock.ts';
import type { Bucket, BucketSettings } from './open-bucket.ts';
import { putObject } from './put-object.ts';
import { checkBucketConfiguration } from './read-documents.ts';
import { readObject } from './read-object.ts';
import { header, readRequest, type StoreRequest } from './read-request.ts';
import { receiveText } from './receive-body.ts';
import { sendAnswer, sendError } from './send-answer.ts';
import { notImplemented, StoreError, storeError } from './store-error.ts';
import type { ReplicationHook, StoreAnswer, StoreOperation } from './store-operation.ts';
import { writeXml } from './write-xml.ts';

export interface StoreState {
  readonly buckets: Map<string, Bucket>;
  readonly clock: Pick<Clock, 'now'>;
  readonly region: string;
  readonly faults: Faults;
  readonly replication: ReplicationHook | undefined;
  openBucket(settings: BucketSettings): Promise<Bucket>;
}

const bucketOperations: Record<Exclude<Operation, 'ListBuckets' | 'CreateBucket' | 'HeadBucket'>, StoreOperation> = {
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  ListMultipartUploads: listMultipartUploads,
  DeleteObjects: deleteObjects,
  PutObject: putObject,
  GetObject: readObject,
  HeadObject: readObject,
  DeleteObject: deleteObject,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts,
  PutObjectRetention: putObjectRetention,
  GetObjectRetention: getObjectRetention,
};

// S3's limit in UTF-8 bytes.
const longestKey = 1024;

/** Answers one request; resolves when the answer has gone out or the client has left. */
export async function serveRequest(
  state: StoreState,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let request: StoreRequest | undefined;
  try {
    request = readRequest(incoming, response);
    const fault = state.faults.next(request);
    if (fault === 'drop') {
      incoming.socket.destroy();
      return;
    }
    // The connection is closed by whoever loses patience: the client, or the server when it stops.
    if (fault === 'hang') return;
    if (fault instanceof StoreError) throw fault;
    if (typeof fault === 'object') await sleep(fault.delayMs);
    const answer = await answerRequest(state, request);
    if (fault === 'drop-answer') {
      incoming.socket.destroy();
      await answer.file?.handle.close();
      return;
    }
    await sendAnswer(incoming, response, answer, request);
  } catch (error) {
    await sendError(incoming, response, error, request);
  }
}

async function answerRequest(state: StoreState, request: StoreRequest): Promise<StoreAnswer> {
  checkSignature(request);
  const { operation } = request;
  if (operation === undefined)
    throw notImplemented(`${request.method} with query "${[...request.query.keys()].join('&')}"`);
  checkHeaders(operation, request.headers);
  if (operation === 'ListBuckets') return listBuckets(state);
  if (operation === 'CreateBucket') return await createBucket(state, request);

  const bucket = state.buckets.get(request.bucket);
  if (bucket === undefined) {
    throw storeError('NoSuchBucket', 'The specified bucket does not exist', {
      details: { BucketName: request.bucket },
    });
  }
  if (Buffer.byteLength(request.key) > longestKey) throw storeError('KeyTooLongError', 'Your key is too long');
  const named = { ...request, operation };
  // DeleteObjects names its keys in the body and asks there.
  if (operation !== 'DeleteObjects') checkPolicy(bucket.policy, named, request.key, request.query.get('versionId'));
  if (operation === 'HeadBucket') return { status: 200, headers: { 'x-amz-bucket-region': state.region } };
  const { clock, replication } = state;
  return await bucketOperations[operation]({ request: named, bucket, clock, replication });
}

/** Any signer is the owner, but a client that forgot to sign would fail on AWS and so fails here. */
function checkSignature(request: StoreRequest): void {
  const authorization = header(request, 'authorization') ?? '';
  const signed = /^AWS4-HMAC-SHA256 .*Credential=[^/,]+\/.*SignedHeaders=.*Signature=[0-9a-f]{64}/.test(authorization);
  if (!signed) throw storeError('AccessDenied', 'Access Denied: the request has no AWS4-HMAC-SHA256 authorization');
}

function listBuckets(state: StoreState): StoreAnswer {
  const buckets = [...state.buckets.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const document = writeXml('ListAllMyBucketsResult', [
    [
      'Buckets',
      buckets.map(
        (bucket) =>
          [
            'Bucket',
            [
              ['Name', bucket.name],
              ['CreationDate', bucket.created],
            ],
          ] as const,
      ),
    ],
  ]);
  return { status: 200, document };
}

async function createBucket(state: StoreState, request: StoreRequest): Promise<StoreAnswer> {
  const hasBody = (header(request, 'content-length') ?? '0') !== '0';
  checkBucketConfiguration(hasBody ? await receiveText(request) : '');
  if (state.buckets.has(request.bucket)) {
    throw storeError(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
    );
  }
  const withLock = header(request, 'x-amz-bucket-object-lock-enabled') === 'true';
  // Without days: a lock made this way has no default retention on S3 either.
  await state.openBucket({ name: request.bucket, ...(withLock && { objectLock: { days: 0 } }) });
  return { status: 200, headers: { location: `/${request.bucket}` } };
}
