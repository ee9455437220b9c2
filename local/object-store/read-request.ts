// An HTTP request as the operations see it: bucket and key decoded, body not yet read. Called once per request by
// serve-request.ts. It must never let a URL library near the path: `..` is an ordinary part of a key.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { nameOperation, type Operation } from './name-operation.ts';
import { storeError } from './store-error.ts';

export interface StoreRequest {
  readonly method: string;
  /** Path as sent, for error answers. */
  readonly path: string;
  /** Empty for the list of buckets. */
  readonly bucket: string;
  /** Empty for operations on a bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  readonly operation: Operation | undefined;
  /** Reads the body once; a client that waits for `100 Continue` is told to go on when reading starts. */
  readBody(): AsyncIterable<Buffer>;
  /** True when the body has been asked for. */
  bodyWasRead(): boolean;
}

/** Throws InvalidURI when the path is not UTF-8. */
export function readRequest(incoming: IncomingMessage, response: ServerResponse): StoreRequest {
  const url = incoming.url ?? '/';
  const questionMark = url.indexOf('?');
  const path = questionMark === -1 ? url : url.slice(0, questionMark);
  const query = new Map(new URLSearchParams(questionMark === -1 ? '' : url.slice(questionMark + 1)));
  const [bucket, key] = splitPath(path);
  const method = incoming.method ?? '';
  let bodyWasRead = false;
  return {
    method,
    path,
    bucket,
    key,
    query,
    headers: incoming.headers,
    operation: nameOperation(method, levelOf(bucket, key), query),
    readBody() {
      bodyWasRead = true;
      if (waitsForContinue(incoming)) response.writeContinue();
      return incoming;
    },
    bodyWasRead: () => bodyWasRead,
  };
}

/** True when the client sends its body only after `100 Continue`. */
export function waitsForContinue(incoming: IncomingMessage): boolean {
  return incoming.headers.expect?.toLowerCase() === '100-continue';
}

/** One header; S3 has none that repeats. */
export function header(request: StoreRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

function splitPath(path: string): [bucket: string, key: string] {
  const slash = path.indexOf('/', 1);
  try {
    const bucket = decodeURIComponent(slash === -1 ? path.slice(1) : path.slice(1, slash));
    return [bucket, slash === -1 ? '' : decodeURIComponent(path.slice(slash + 1))];
  } catch {
    throw storeError('InvalidURI', "Couldn't parse the specified URI.");
  }
}

function levelOf(bucket: string, key: string): 'service' | 'bucket' | 'key' {
  if (bucket === '') return 'service';
  return key === '' ? 'bucket' : 'key';
}
