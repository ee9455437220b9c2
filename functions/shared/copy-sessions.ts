// COPY on a session of pg, which itself cannot COPY: rows out of the server and rows into it. Called by database.ts only.
import type { Duplex } from 'node:stream';
import { Client, type Connection, type PoolClient } from 'pg';
import { createCopyReader } from './copy-messages.ts';

export interface CopyOutOptions {
  /** Gets a view that is good until the next call, which follows once the promise has resolved. */
  take(text: Buffer): Promise<void> | undefined;
  signal: AbortSignal;
}

/** Who gets what the socket of a connection receives: pg's own parser, or the COPY that is running. */
const receivers = new WeakMap<Connection, { copy: ((chunk: Buffer) => void) | undefined }>();

/** Puts a switch between the socket and pg's parser: once for each connection, so that COPYs do not nest. */
function receiverOf(connection: Connection) {
  const known = receivers.get(connection);
  if (known) return known;
  const receiver: { copy: ((chunk: Buffer) => void) | undefined } = { copy: undefined };
  const { stream } = connection;
  const parsers = stream.listeners('data');
  stream.removeAllListeners('data');
  stream.on('data', (chunk: Buffer) => {
    if (receiver.copy) receiver.copy(chunk);
    else for (const parse of parsers) Reflect.apply(parse, stream, [chunk]);
  });
  receivers.set(connection, receiver);
  return receiver;
}

/**
 * Gives the memory of a chunk back at once instead of at the next garbage collection.
 *
 * V8 collects its whole heap after every 64 MiB of such chunks, although the heap is small: measured, 8% of the CPU
 * with gzip and 15% with zstd, and 30 MiB.
 */
function free(chunk: Buffer): void {
  const memory = chunk.buffer;
  const isWhole = chunk.byteOffset === 0 && chunk.length === memory.byteLength;
  if (isWhole && memory instanceof ArrayBuffer) memory.transfer(0);
}

/**
 * pg itself cannot COPY, and pg-copy-streams makes an object for each row: measured, 0.35 of 3.1 s of CPU for 1.25 million rows.
 *
 * As with pg-copy-streams the text is taken from the socket, and everything after it goes to pg's own parser.
 */
export async function copyOut(client: PoolClient, sql: string, options: CopyOutOptions): Promise<{ rows: number }> {
  const { signal } = options;
  signal.throwIfAborted();
  const answer = Promise.withResolvers<{ rows: number }>();
  let rows: number | undefined;
  let isStopped = false;
  const stop = (error: unknown) => {
    isStopped = true;
    answer.reject(error);
    // With a statement in progress end() does not say goodbye but destroys the socket; the server then ends its COPY.
    if (client instanceof Client) void client.end();
  };
  const abort = () => stop(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  client.query({
    submit: (connection: Connection) => {
      const receiver = receiverOf(connection);
      const { stream } = connection;
      const read = createCopyReader();
      receiver.copy = (chunk) => {
        if (isStopped) return;
        const { text, rest } = read(chunk);
        const goOn = () => {
          if (rest === undefined) return free(chunk);
          receiver.copy = undefined;
          if (rest.length > 0) stream.emit('data', rest);
        };
        let taken: Promise<void> | undefined;
        try {
          taken = text.length > 0 ? options.take(text) : undefined;
        } catch (error) {
          return stop(error);
        }
        if (!taken) return goOn();
        stream.pause();
        taken.then(goOn).then(() => stream.resume(), stop);
      };
      connection.query(sql);
    },
    handleError: (error: Error) => answer.reject(error),
    handleCommandComplete: ({ text }: { text: string }) => {
      const tag = /^COPY (\d+)$/.exec(text)?.[1];
      if (tag !== undefined) rows = Number(tag);
    },
    handleReadyForQuery: () => {
      if (rows === undefined) stop(new Error('the server ended COPY without the number of its rows'));
      else answer.resolve({ rows });
    },
  });
  try {
    return await answer.promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

export interface CopyInOptions {
  /** COPY text, cut anywhere; a piece may be overwritten once the next one is asked for. */
  text: AsyncIterable<Buffer>;
  /** Gets each piece once the connection needs it no more, in order; not when the connection has broken. */
  onSent?: (piece: Buffer) => void;
  signal: AbortSignal;
}

const COPY_DATA = 0x64; // d
/** Kind c and its length. */
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
/** Kind f, its length, and the reason, which the server puts into its error: ours says more. */
const COPY_FAIL = Buffer.from([0x66, 0, 0, 0, 5, 0]);
const HEAD_BYTES = 5;
/** The length of a message counts itself. */
const LENGTH_BYTES = 4;

/** See DatabaseSession.copyIn. */
export async function copyIn(client: PoolClient, sql: string, options: CopyInOptions): Promise<{ rows: number }> {
  const { signal } = options;
  signal.throwIfAborted();
  const answer = Promise.withResolvers<{ rows: number }>();
  let rows: number | undefined;
  let failure: unknown;
  /** The server has answered, or nobody waits any more: what is still sent it would only throw away. */
  let isOver = false;
  const abort = () => {
    isOver = true;
    answer.reject(signal.reason);
    if (client instanceof Client) void client.end();
  };
  signal.addEventListener('abort', abort, { once: true });
  let sending: Promise<void> | undefined;
  client.query({
    submit: (connection: Connection) => connection.query(sql),
    handleCopyInResponse: ({ stream }: Connection) => {
      sending = (async () => {
        try {
          await sendText(stream, options, () => isOver);
          if (!isOver) stream.write(COPY_DONE);
        } catch (error) {
          failure = error;
          if (!isOver) stream.write(COPY_FAIL);
        }
      })();
    },
    handleError: (error: Error) => {
      isOver = true;
      answer.reject(failure ?? error);
    },
    handleCommandComplete: (message: { text: string }) => {
      const tag = /^COPY (\d+)$/.exec(message.text)?.[1];
      if (tag !== undefined) rows = Number(tag);
    },
    handleReadyForQuery: () => {
      isOver = true;
      if (rows === undefined)
        answer.reject(failure ?? new Error('the server ended COPY without the number of its rows'));
      else answer.resolve({ rows });
    },
  });
  try {
    return await answer.promise;
  } finally {
    signal.removeEventListener('abort', abort);
    // The source is closed by then: nothing of it is read after this function has ended.
    await sending;
  }
}

/** Sends every piece as one message, waiting while the server takes no more. */
async function sendText(stream: Duplex, { text, onSent }: CopyInOptions, isOver: () => boolean): Promise<void> {
  for await (const piece of text) {
    if (isOver() || stream.destroyed) return;
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    head.writeUInt8(COPY_DATA, 0);
    head.writeUInt32BE(piece.length + LENGTH_BYTES, 1);
    stream.cork();
    stream.write(head);
    const hasRoom = stream.write(piece, (error) => {
      if (!error) onSent?.(piece);
    });
    stream.uncork();
    if (!hasRoom) await drained(stream);
  }
}

/** Resolves when there is room again, or the stream is gone: its reason reaches whoever waits for the answer. */
async function drained(stream: Duplex): Promise<void> {
  await new Promise<void>((resolve) => {
    const events = ['drain', 'close', 'error'] as const;
    const done = () => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}
