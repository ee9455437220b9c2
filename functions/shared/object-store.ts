// S3 as the jobs see it: the only file that imports the S3 client. Never overwrites: a put of a new object says so, and
// `replace` names the one object that it may take the place of.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type DeleteMarkerEntry,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  type ObjectVersion as ListedVersion,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { JobFailure } from './job-failure.ts';
import { explainStoreError, isMissing, isNotRetained, wasRetried } from './object-store-errors.ts';
import { type ReplicationStatus, replicationStatus } from './replication-status.ts';

export interface StoredObject {
  key: string;
  bytes: number;
  etag: string;
}

export interface ObjectVersion {
  key: string;
  versionId: string;
  isDeleteMarker: boolean;
  /** The one that a get without a version id sees, or the marker that hides all others. */
  isLatest: boolean;
  /** By the clock of S3. */
  lastModified: Date;
  /** Empty for a delete marker. */
  etag: string;
}

export type VersionId = Pick<ObjectVersion, 'key' | 'versionId'>;

export interface UploadedPart {
  partNumber: number;
  etag: string;
}

export interface ObjectStore {
  readonly bucket: string;
  /** Puts a new object; throws `object_store.exists` when the key is taken. */
  putNew(key: string, body: string | Buffer, contentType: string, signal?: AbortSignal): Promise<StoredObject>;
  /**
   * Puts a new object under a key that nobody but this run writes (its run id or its claim is in it).
   *
   * Unlike putNew, "exists" after a retried request is no failure: S3 has stored the first try, whose answer was lost.
   */
  putOwn(key: string, body: string | Buffer, contentType: string): Promise<StoredObject>;
  /**
   * Puts a new object whose bytes every run that writes this key makes the same; answers the one that is there already.
   *
   * That one is listed, not read. Throws `object_store.exists` when it has another size or, where ETags are MD5 (which
   * they are not under SSE-KMS, and which only an earlier answer tells), another ETag.
   */
  putSame(key: string, body: Buffer, contentType: string, signal?: AbortSignal): Promise<StoredObject>;
  /**
   * Puts an object in place of the one with this ETag; throws `object_store.exists` when another one is there by now.
   *
   * For what nobody counts on yet, or what only grows: so a request that was long on its way overwrites nothing newer. The
   * bucket refuses it for manifests of backups and for claims.
   */
  replace(
    object: Pick<StoredObject, 'key' | 'etag'>,
    body: Buffer,
    contentType: string,
    signal?: AbortSignal,
  ): Promise<StoredObject>;
  /** The text of a small object, or undefined when there is none. */
  getText(key: string): Promise<string | undefined>;
  /** The bytes of an object as they arrive. */
  getStream(key: string): Promise<Readable>;
  /**
   * The bytes from `from` on, at most `length` of them, as they arrive; undefined when there is no such object.
   *
   * An object that ends before gives fewer bytes and no error; a connection that breaks is an error of the stream.
   */
  getRange(key: string, from: number, length: number, signal?: AbortSignal): Promise<Readable | undefined>;
  head(key: string): Promise<(StoredObject & { replication: ReplicationStatus | undefined }) | undefined>;
  /** All objects whose key starts with the prefix, in order of key. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** The next parts of the keys behind the prefix, up to their slash, in order: one request for 1,000 of them. */
  listFolders(prefix: string): AsyncIterable<string>;
  /** All versions and delete markers whose key starts with the prefix. */
  listVersions(prefix: string): AsyncIterable<ObjectVersion>;
  /** As listFolders, also of keys that are hidden by a delete marker. */
  listVersionFolders(prefix: string): AsyncIterable<string>;
  /** Deletes versions for good; returns those that S3 refused, with its reason. */
  deleteVersions(versions: readonly VersionId[]): Promise<{ version: VersionId; code: string; reason: string }[]>;
  /** Until when object lock keeps a version; undefined when no retention date is set on it, or it is gone. */
  readRetention(version: VersionId): Promise<Date | undefined>;
  createUpload(key: string, contentType: string): Promise<string>;
  uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Buffer,
    signal?: AbortSignal,
  ): Promise<UploadedPart>;
  /** Makes the object of its parts, which must be in order of number; throws `object_store.exists` when the key is taken. */
  completeUpload(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<StoredObject>;
  abortUpload(key: string, uploadId: string): Promise<void>;
  /** Uploads that were begun and neither completed nor aborted. */
  listUploads(prefix: string): AsyncIterable<{ key: string; uploadId: string; initiated: Date }>;
}

/** The most versions that one DeleteObjects request may name (S3 API reference). */
const DELETE_LIMIT = 1_000;

/**
 * Patience for the head of an answer; a connection that went silent costs this once. While all parts are stuck nothing is
 * read from the database, which ends a session that does not read for 25 s (tcp_user_timeout): this must be shorter.
 */
const ANSWER_TIMEOUT_MS = 12_000;
/** What a body takes on its way, at 1 MB/s: 5 s for a part of 5 MiB. */
const BYTES_PER_MS = 1_000;
/** S3 sends the head at once, but joining thousands of parts may take it minutes. */
const COMPLETE_TIMEOUT_MS = 300_000;

/** The bucket of the backups; region, endpoint and credentials come from the standard AWS variables. */
export function createObjectStore(bucket: string, { answerTimeoutMs = ANSWER_TIMEOUT_MS } = {}): ObjectStore {
  // WHEN_REQUIRED + Content-MD5: with the SDK's default checksum S3 refuses part numbers that have gaps (InvalidPartOrder).
  const client = new S3Client({
    maxAttempts: 5,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // With `Expect: 100-continue` the SDK opens a connection of its own, with its TLS handshake, for every part.
    expectContinueHeader: false,
    // Until the head of the answer, so that a connection that went silent is tried again; a body that is read slowly is
    // not limited: a restore may leave a download waiting for minutes while the server works.
    requestHandler: { connectionTimeout: 5_000, requestTimeout: answerTimeoutMs, throwOnRequestTimeout: true },
  });

  /** For a request with a body. */
  const withBody = (bytes: number, signal?: AbortSignal) => ({
    abortSignal: signal,
    requestTimeout: answerTimeoutMs + Math.ceil(bytes / BYTES_PER_MS),
  });

  async function call<T>(what: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw explainStoreError(bucket, what, error);
    }
  }

  /** Learned from the answers: a bucket encrypts all of its objects in one way. */
  let etagsAreMd5 = false;

  type Place = Pick<PutObjectCommandInput, 'ContentType' | 'IfMatch' | 'IfNoneMatch'> & { Key: string };
  async function put(place: Place, body: string | Buffer, signal: AbortSignal | undefined): Promise<StoredObject> {
    const Body = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
    const ContentMD5 = md5(Body);
    const request = new PutObjectCommand({ Bucket: bucket, Body, ContentMD5, ...place });
    const answer = await call(
      `put "${place.Key}"`,
      async () => await client.send(request, withBody(Body.length, signal)),
    );
    etagsAreMd5 ||= answer.ETag === md5Etag(ContentMD5);
    return { key: place.Key, bytes: Body.length, etag: answer.ETag ?? '' };
  }

  async function* versionPages(
    prefix: string,
    more: { Delimiter?: string },
  ): AsyncGenerator<ListObjectVersionsCommandOutput> {
    let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
    while (marker) {
      const asked = { Bucket: bucket, Prefix: prefix, ...more, ...marker };
      const list: ListObjectVersionsCommand = new ListObjectVersionsCommand(asked);
      const answer = await call(`list versions "${prefix}"`, async () => await client.send(list));
      yield answer;
      marker = answer.IsTruncated
        ? { KeyMarker: answer.NextKeyMarker, VersionIdMarker: answer.NextVersionIdMarker }
        : undefined;
    }
  }

  const store: ObjectStore = {
    bucket,
    putOwn: async (key, body, contentType) => {
      try {
        return await store.putNew(key, body, contentType);
      } catch (error) {
        if (!(error instanceof JobFailure && error.code === 'object_store.exists' && wasRetried(error.cause)))
          throw error;
        return { key, bytes: Buffer.byteLength(body, 'utf8'), etag: '' };
      }
    },
    putSame: async (key, body, contentType, signal) => {
      try {
        return await store.putNew(key, body, contentType, signal);
      } catch (error) {
        if (!(error instanceof JobFailure && error.code === 'object_store.exists')) throw error;
        for await (const present of store.list(key)) {
          if (present.key !== key || present.bytes !== body.length) continue;
          if (!etagsAreMd5 || present.etag === md5Etag(md5(body))) return present;
        }
        throw error;
      }
    },
    putNew: async (key, body, contentType, signal) =>
      await put({ Key: key, ContentType: contentType, IfNoneMatch: '*' }, body, signal),
    replace: async ({ key, etag }, body, contentType, signal) =>
      await put({ Key: key, ContentType: contentType, IfMatch: etag }, body, signal),
    getText: async (key) =>
      await call(`get "${key}"`, async () => {
        try {
          const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
          return await answer.Body?.transformToString('utf8');
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw error;
        }
      }),
    getStream: async (key) =>
      await call(`get "${key}"`, async () => {
        const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        if (!(answer.Body instanceof Readable)) throw new TypeError('the answer has no body');
        return answer.Body;
      }),
    getRange: async (key, from, length, signal) =>
      await call(`get "${key}" from byte ${from}`, async () => {
        const get = { Bucket: bucket, Key: key, Range: `bytes=${from}-${from + length - 1}` };
        try {
          const answer = await client.send(new GetObjectCommand(get), { abortSignal: signal });
          if (!(answer.Body instanceof Readable)) throw new TypeError('the answer has no body');
          return answer.Body;
        } catch (error) {
          if (isMissing(error)) return undefined;
          // The object has no byte there.
          if (error instanceof Error && error.name === 'InvalidRange') return Readable.from([]);
          throw error;
        }
      }),
    head: async (key) =>
      await call(`head "${key}"`, async () => {
        try {
          const answer = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
          const replication = replicationStatus(answer.ReplicationStatus);
          return { key, bytes: answer.ContentLength ?? 0, etag: answer.ETag ?? '', replication };
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw error;
        }
      }),
    list: async function* (prefix) {
      let token: string | undefined;
      do {
        const list = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token });
        const answer = await call(`list "${prefix}"`, async () => await client.send(list));
        for (const item of answer.Contents ?? [])
          yield { key: item.Key ?? '', bytes: item.Size ?? 0, etag: item.ETag ?? '' };
        token = answer.NextContinuationToken;
      } while (token !== undefined);
    },
    listFolders: async function* (prefix) {
      let token: string | undefined;
      do {
        const asked = { Bucket: bucket, Prefix: prefix, Delimiter: '/', ContinuationToken: token };
        const list = new ListObjectsV2Command(asked);
        const answer = await call(`list folders of "${prefix}"`, async () => await client.send(list));
        for (const folder of answer.CommonPrefixes ?? []) yield (folder.Prefix ?? '').slice(prefix.length, -1);
        token = answer.NextContinuationToken;
      } while (token !== undefined);
    },
    listVersions: async function* (prefix) {
      for await (const answer of versionPages(prefix, {})) {
        for (const item of answer.Versions ?? []) yield { ...versionOf(item), isDeleteMarker: false };
        for (const item of answer.DeleteMarkers ?? []) yield { ...versionOf(item), isDeleteMarker: true };
      }
    },
    listVersionFolders: async function* (prefix) {
      for await (const answer of versionPages(prefix, { Delimiter: '/' }))
        for (const folder of answer.CommonPrefixes ?? []) yield (folder.Prefix ?? '').slice(prefix.length, -1);
    },
    deleteVersions: async (versions) => {
      const refused: { version: VersionId; code: string; reason: string }[] = [];
      for (let from = 0; from < versions.length; from += DELETE_LIMIT) {
        const some = versions.slice(from, from + DELETE_LIMIT);
        const Objects = some.map(({ key, versionId }) => ({ Key: key, VersionId: versionId }));
        const request = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
        const answer = await call(`delete ${some.length} versions`, async () => await client.send(request));
        for (const error of answer.Errors ?? []) {
          const code = error.Code ?? 'error';
          refused.push({
            version: { key: error.Key ?? '', versionId: error.VersionId ?? 'null' },
            code,
            reason: `${code}: ${error.Message ?? ''}`,
          });
        }
      }
      return refused;
    },
    readRetention: async ({ key, versionId }) =>
      await call(`read the retention of "${key}"`, async () => {
        const get = new GetObjectRetentionCommand({ Bucket: bucket, Key: key, VersionId: versionId });
        try {
          return (await client.send(get)).Retention?.RetainUntilDate;
        } catch (error) {
          if (isNotRetained(error)) return undefined;
          throw error;
        }
      }),
    createUpload: async (key, contentType) => {
      const create = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ContentType: contentType });
      const answer = await call(`begin upload of "${key}"`, async () => await client.send(create));
      return answer.UploadId ?? '';
    },
    uploadPart: async (key, uploadId, partNumber, body, signal) => {
      const part = {
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        PartNumber: partNumber,
        Body: body,
        ContentMD5: md5(body),
      };
      const answer = await call(
        `upload part ${partNumber} of "${key}"`,
        async () => await client.send(new UploadPartCommand(part), withBody(body.length, signal)),
      );
      return { partNumber, etag: answer.ETag ?? '' };
    },
    completeUpload: async (key, uploadId, parts) => {
      const Parts = parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag }));
      const complete = { Bucket: bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts }, IfNoneMatch: '*' };
      const answer = await call(
        `complete "${key}"`,
        async () =>
          await client.send(new CompleteMultipartUploadCommand(complete), {
            requestTimeout: Math.min(COMPLETE_TIMEOUT_MS, answerTimeoutMs * 25),
          }),
      );
      return { key, bytes: 0, etag: answer.ETag ?? '' };
    },
    abortUpload: async (key, uploadId) => {
      const abort = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId });
      await call(`abort upload of "${key}"`, async () => {
        try {
          await client.send(abort);
        } catch (error) {
          // Somebody else was faster (its owner, another sweep): that is what was wanted.
          if (!(error instanceof Error && error.name === 'NoSuchUpload')) throw error;
        }
      });
    },
    listUploads: async function* (prefix) {
      let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
      while (marker) {
        const list: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
          Bucket: bucket,
          Prefix: prefix,
          ...marker,
        });
        const answer = await call(`list uploads "${prefix}"`, async () => await client.send(list));
        for (const item of answer.Uploads ?? []) {
          yield { key: item.Key ?? '', uploadId: item.UploadId ?? '', initiated: item.Initiated ?? new Date(0) };
        }
        marker = answer.IsTruncated
          ? { KeyMarker: answer.NextKeyMarker, UploadIdMarker: answer.NextUploadIdMarker }
          : undefined;
      }
    },
  };
  return store;
}

function versionOf(item: ListedVersion & DeleteMarkerEntry): Omit<ObjectVersion, 'isDeleteMarker'> {
  return {
    key: item.Key ?? '',
    versionId: item.VersionId ?? 'null',
    isLatest: item.IsLatest ?? false,
    lastModified: item.LastModified ?? new Date(),
    etag: item.ETag ?? '',
  };
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('base64');
}

/** The ETag of an object of one piece that is not encrypted by a key of KMS. */
function md5Etag(base64: string): string {
  return `"${Buffer.from(base64, 'base64').toString('hex')}"`;
}
