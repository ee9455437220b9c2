// Our own object store on a temporary directory for one test, with SDK clients and raw requests; all gone at its end.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import { type ObjectStoreSettings, startObjectStoreServer } from '../../../local/object-store-server.ts';

export interface OwnServer {
  readonly client: S3Client;
  readonly directory: string;
  readonly endpoint: string;
  /** Stops the server and starts another one on the same directory. */
  restart(): Promise<OwnServer>;
  stop(): Promise<void>;
}

/** A fresh directory that is removed when the test ends. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-object-store-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A server with one bucket named `bucket`, unversioned unless the settings say otherwise. */
export async function startOwnServer(
  settings: Partial<ObjectStoreSettings> = {},
  config: S3ClientConfig = {},
): Promise<OwnServer> {
  const directory = settings.directory ?? (await temporaryDirectory());
  const server = await startObjectStoreServer({ buckets: [{ name: 'bucket' }], ...settings, directory });
  const client = clientOf(server.endpoint, config);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    client.destroy();
    return (stopped ??= server.stop());
  };
  onTestFinished(stop);
  const restart = async () => {
    await stop();
    return await startOwnServer({ ...settings, directory }, config);
  };
  return { client, directory, endpoint: server.endpoint, restart, stop };
}

/** An SDK client with throw-away credentials; it gives up at once unless told otherwise. */
export function clientOf(endpoint: string, config: S3ClientConfig = {}): S3Client {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  return new S3Client({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1, ...config });
}

/** Files below a folder, relative to it, sorted; folders without files are not seen. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).toSorted();
}

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** What a signed request needs for the server to look at it; the signature itself is not checked. */
export const signed = {
  authorization: `AWS4-HMAC-SHA256 Credential=any/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
};

/** One request that the SDK would never send; signed unless a header says otherwise. */
export async function sendRaw(endpoint: string, raw: RawRequest): Promise<{ status: number; text: string }> {
  const isChunked = raw.headers?.['transfer-encoding'] !== undefined;
  const length = raw.body === undefined || isChunked ? {} : { 'content-length': String(Buffer.byteLength(raw.body)) };
  const { hostname, port } = new URL(endpoint);
  return await new Promise((answered, failed) => {
    const request = httpRequest({
      hostname,
      port,
      method: raw.method,
      path: raw.path,
      headers: { ...signed, ...length, ...raw.headers },
      agent: false,
    });
    request.on('error', failed);
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => answered({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString() }));
    });
    request.end(raw.body);
  });
}
