// An S3 that takes archives, counts their bytes and forgets them, so that the disk of this machine is not what is
// measured. Small objects (claims, lists, manifests) are kept and can be read. It refuses what S3 refuses of an upload:
// unknown uploads, parts out of order, wrong ETags, parts that are too small. Only for the benchmark, on loopback.
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DiscardCounters {
  requests: number;
  parts: number;
  /** Of the objects below a folder `archive/`, parts of uploads that were not completed left out. */
  archiveBytes: number;
}

export interface DiscardStore {
  readonly endpoint: string;
  counters(): DiscardCounters;
  stop(): Promise<void>;
}

interface Stored {
  bytes: number;
  etag: string;
  /** Null when it was forgotten. */
  body: Buffer | null;
}

interface Upload {
  key: string;
  initiated: string;
  parts: Map<number, { bytes: number; etag: string }>;
}

interface State {
  objects: Map<string, Stored>;
  uploads: Map<string, Upload>;
  counters: Omit<DiscardCounters, 'archiveBytes'>;
}

interface Request {
  method: string;
  /** `<bucket>/<key>`; the key is empty for a request to the bucket. */
  bucket: string;
  key: string;
  query: URLSearchParams;
  incoming: IncomingMessage;
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const SMALLEST_PART = 5 * 1_048_576;
// Longer than the SDK keeps an idle connection.
const KEEP_ALIVE_MS = 75_000;

/** Starts it on a free port; each request waits `latencyMs` before anything of it is looked at. */
export async function startDiscardStore({ latencyMs }: { latencyMs: number }): Promise<DiscardStore> {
  const state: State = {
    objects: new Map(),
    uploads: new Map(),
    counters: { requests: 0, parts: 0 },
  };
  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    state.counters.requests += 1;
    if (latencyMs > 0) await sleep(latencyMs);
    if (incoming.headers.expect !== undefined) response.writeContinue();
    const answer = await answerRequest(state, readRequest(incoming)).catch((error: unknown) => refused(error));
    response.writeHead(answer.status, {
      'content-type': 'application/xml',
      'x-amz-request-id': '0',
      ...answer.headers,
    });
    response.end(incoming.method === 'HEAD' ? undefined : answer.body);
  };
  const listener = (incoming: IncomingMessage, response: ServerResponse) => void serve(incoming, response);
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, listener);
  server.on('checkContinue', listener);
  await new Promise<void>((listening, failed) => {
    server.once('error', failed).listen(0, '127.0.0.1', listening);
  });
  const address = server.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    counters: () => ({ ...state.counters, archiveBytes: archiveBytes(state) }),
    stop: async () => {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

function readRequest(incoming: IncomingMessage): Request {
  const url = new URL(incoming.url ?? '/', 'http://store');
  const [bucket = '', ...key] = url.pathname.slice(1).split('/');
  const method = incoming.method ?? '';
  return { method, bucket, key: decodeURIComponent(key.join('/')), query: url.searchParams, incoming };
}

async function answerRequest(state: State, request: Request): Promise<Answer> {
  const { method, key, query } = request;
  if (key === '') {
    if (method === 'GET' && query.get('list-type') === '2') return listObjects(state, request);
    if (method === 'GET' && query.has('uploads')) return listUploads(state, request);
  } else if (method === 'POST') {
    if (query.has('uploads')) return createUpload(state, request);
    if (query.has('uploadId')) return await completeUpload(state, request);
  } else if (method === 'PUT') {
    if (request.incoming.headers['x-amz-copy-source'] !== undefined) throw notDone(request);
    return query.has('partNumber') ? await putPart(state, request) : await putObject(state, request);
  } else if (method === 'DELETE' && query.has('uploadId')) {
    uploadOf(state, request);
    state.uploads.delete(query.get('uploadId') ?? '');
    return { status: 204 };
  } else if ((method === 'GET' || method === 'HEAD') && ![...query.keys()].some((name) => name !== 'x-id')) {
    return readObject(state, request);
  }
  throw notDone(request);
}

function notDone({ method, query }: Request): Refusal {
  return new Refusal(
    501,
    'NotImplemented',
    `the discarding store does no ${method} with "${[...query.keys()].join(', ')}"`,
  );
}

function refused(error: unknown): Answer {
  const known = error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
  return {
    status: known.status,
    body: xml(`<Error><Code>${known.code}</Code><Message>${escaped(known.message)}</Message></Error>`),
  };
}

function createUpload(state: State, { bucket, key }: Request): Answer {
  const uploadId = randomUUID();
  state.uploads.set(uploadId, { key, initiated: new Date().toISOString(), parts: new Map() });
  const names = `<Bucket>${escaped(bucket)}</Bucket><Key>${escaped(key)}</Key><UploadId>${uploadId}</UploadId>`;
  return { status: 200, body: xml(`<InitiateMultipartUploadResult>${names}</InitiateMultipartUploadResult>`) };
}

function uploadOf(state: State, { key, query }: Request): Upload {
  const upload = state.uploads.get(query.get('uploadId') ?? '');
  if (upload?.key !== key) throw new Refusal(404, 'NoSuchUpload');
  return upload;
}

async function putPart(state: State, request: Request): Promise<Answer> {
  const upload = uploadOf(state, request);
  const number = Number(request.query.get('partNumber'));
  if (!(Number.isInteger(number) && number >= 1 && number <= 10_000)) throw new Refusal(400, 'InvalidArgument');
  const { bytes, etag } = await receive(request, false);
  upload.parts.set(number, { bytes, etag });
  state.counters.parts += 1;
  return { status: 200, headers: { etag } };
}

async function completeUpload(state: State, request: Request): Promise<Answer> {
  const upload = uploadOf(state, request);
  const { body } = await receive(request, true);
  const listed = [...(body?.toString('utf8') ?? '').matchAll(/<Part>.*?<\/Part>/gs)].map(([part]) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: (/<ETag>(.*?)</.exec(part)?.[1] ?? '').replaceAll('&quot;', '"').replaceAll('"', ''),
  }));
  if (listed.length === 0) throw new Refusal(400, 'MalformedXML', 'there is no part in the list');
  let bytes = 0;
  const digests = createHash('md5');
  for (const [index, { number, etag }] of listed.entries()) {
    const part = upload.parts.get(number);
    if (part === undefined || part.etag !== `"${etag}"`) throw new Refusal(400, 'InvalidPart', `part ${number}`);
    if (number <= (listed[index - 1]?.number ?? 0)) throw new Refusal(400, 'InvalidPartOrder', `part ${number}`);
    if (index < listed.length - 1 && part.bytes < SMALLEST_PART)
      throw new Refusal(400, 'EntityTooSmall', `part ${number}`);
    bytes += part.bytes;
    digests.update(Buffer.from(etag, 'hex'));
  }
  const etag = `"${digests.digest('hex')}-${listed.length}"`;
  store(state, request, { bytes, etag, body: null });
  state.uploads.delete(request.query.get('uploadId') ?? '');
  const names = `<Bucket>${escaped(request.bucket)}</Bucket><Key>${escaped(request.key)}</Key><ETag>${escaped(etag)}</ETag>`;
  return { status: 200, body: xml(`<CompleteMultipartUploadResult>${names}</CompleteMultipartUploadResult>`) };
}

async function putObject(state: State, request: Request): Promise<Answer> {
  const received = await receive(request, !isInArchive(request.key));
  store(state, request, received);
  return { status: 200, headers: { etag: received.etag } };
}

function store(state: State, { key, incoming }: Request, stored: Stored): void {
  if (incoming.headers['if-none-match'] === '*' && state.objects.has(key)) throw new Refusal(412, 'PreconditionFailed');
  state.objects.set(key, stored);
}

function archiveBytes(state: State): number {
  return [...state.objects].reduce((sum, [key, { bytes }]) => sum + (isInArchive(key) ? bytes : 0), 0);
}

function isInArchive(key: string): boolean {
  return key.includes('/archive/');
}

/** The ETag is the MD5 that the client has sent: to hash here would take a processor from those that are measured. */
async function receive({ incoming }: Request, keep: boolean): Promise<Stored> {
  const signed = String(incoming.headers['x-amz-content-sha256'] ?? '');
  if (signed.startsWith('STREAMING-') || (incoming.headers['content-encoding'] ?? '').includes('aws-chunked')) {
    throw new Refusal(501, 'NotImplemented', 'the discarding store reads no chunked bodies');
  }
  let bytes = 0;
  const pieces: Buffer[] = [];
  const digest = incoming.headers['content-md5'] === undefined ? createHash('md5') : undefined;
  await new Promise<void>((received, failed) => {
    incoming.on('data', (piece: Buffer) => {
      bytes += piece.length;
      digest?.update(piece);
      if (keep) pieces.push(piece);
    });
    incoming.once('end', received).once('error', failed);
  });
  if (Number(incoming.headers['content-length']) !== bytes) throw new Refusal(400, 'IncompleteBody');
  const md5 = digest?.digest('hex') ?? Buffer.from(String(incoming.headers['content-md5']), 'base64').toString('hex');
  return { bytes, etag: `"${md5}"`, body: keep ? Buffer.concat(pieces) : null };
}

function readObject(state: State, { method, key }: Request): Answer {
  const stored = state.objects.get(key);
  if (stored === undefined) throw new Refusal(404, 'NoSuchKey');
  const headers = { etag: stored.etag, 'content-length': String(stored.bytes), 'content-type': 'binary/octet-stream' };
  if (method === 'HEAD') return { status: 200, headers };
  if (stored.body === null) throw new Refusal(501, 'NotImplemented', `"${key}" was counted and forgotten`);
  return { status: 200, headers, body: stored.body };
}

function listObjects(state: State, { bucket, query }: Request): Answer {
  const prefix = query.get('prefix') ?? '';
  const items = [...state.objects]
    .filter(([key]) => key.startsWith(prefix))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { bytes, etag }]) => {
      const text = `<Key>${escaped(key)}</Key><Size>${bytes}</Size><ETag>${escaped(etag)}</ETag>`;
      return `<Contents>${text}</Contents>`;
    });
  const head = `<Name>${escaped(bucket)}</Name><Prefix>${escaped(prefix)}</Prefix><IsTruncated>false</IsTruncated>`;
  return { status: 200, body: xml(`<ListBucketResult>${head}${items.join('')}</ListBucketResult>`) };
}

function listUploads(state: State, { bucket, query }: Request): Answer {
  const prefix = query.get('prefix') ?? '';
  const items = [...state.uploads]
    .filter(([, { key }]) => key.startsWith(prefix))
    .map(([uploadId, { key, initiated }]) => {
      const text = `<Key>${escaped(key)}</Key><UploadId>${uploadId}</UploadId><Initiated>${initiated}</Initiated>`;
      return `<Upload>${text}</Upload>`;
    });
  const head = `<Bucket>${escaped(bucket)}</Bucket><IsTruncated>false</IsTruncated>`;
  return {
    status: 200,
    body: xml(`<ListMultipartUploadsResult>${head}${items.join('')}</ListMultipartUploadsResult>`),
  };
}

function xml(text: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${text}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
