// Reads stored bytes, going on where a connection broke off. What S3 does not answer is a failure, never a finding.
import type { Clock } from '../clock.ts';
import { describeError, JobFailure } from '../job-failure.ts';
import type { ObjectStore } from '../object-store.ts';

/** The object is not there. */
export class MissingObject extends Error {
  override readonly name = 'MissingObject';
}

export interface Source {
  store: ObjectStore;
  clock: Clock;
  signal: AbortSignal;
  /** Adds up the stored bytes that have come. */
  onBytes(bytes: number): void;
}

/** S3 sends without pauses; a connection that is silent for so long will not come back. */
const SILENCE_MS = 30_000;
/** Connections that may break in one reading without a byte in between. */
const MOST_BREAKS = 5;
const FIRST_PAUSE_MS = 200;

/**
 * The bytes from `from` on, at most `length`; fewer when the object ends before.
 *
 * Throws MissingObject when there is none, and `object_store.failed` when S3 does not give the bytes.
 */
export async function* readStored(source: Source, key: string, from: number, length: number): AsyncGenerator<Buffer> {
  const { store, clock, signal } = source;
  let at = from;
  let breaks = 0;
  while (at < from + length) {
    signal.throwIfAborted();
    const body = await orAborted(signal, async () => await store.getRange(key, at, from + length - at, signal));
    if (body === undefined) throw new MissingObject('there is no such object');
    const abort = () => body.destroy();
    signal.addEventListener('abort', abort, { once: true });
    const silence = startSilence(() => body.destroy(new Error(`no byte came for ${SILENCE_MS / 1000} s`)));
    try {
      for await (const chunk of body) {
        // Only the wait for S3 counts, not that for the reader.
        silence.stop();
        if (!Buffer.isBuffer(chunk)) throw new TypeError('the body has text where bytes must be');
        at += chunk.length;
        breaks = 0;
        source.onBytes(chunk.length);
        yield chunk;
        silence.start();
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      breaks += 1;
      if (breaks > MOST_BREAKS) throw brokenOff(key, at, error);
    } finally {
      silence.stop();
      signal.removeEventListener('abort', abort);
      body.destroy();
    }
    await clock.sleep(FIRST_PAUSE_MS * 2 ** (breaks - 1), signal);
  }
}

/** The reason of the abort rather than what the broken request says. */
async function orAborted<T>(signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function startSilence(onSilence: () => void): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer = setTimeout(onSilence, SILENCE_MS);
  };
  start();
  return { start, stop: () => clearTimeout(timer) };
}

function brokenOff(key: string, at: number, cause: unknown): JobFailure {
  return new JobFailure({
    code: 'object_store.failed',
    problem: `get "${key}" broke off at byte ${at}, ${MOST_BREAKS + 1} times in a row: ${describeError(cause)}`,
    safeState: 'Nothing is said about the backup, which was not changed',
    hint: 'run it again; when it ends in the same way, look at the network of the function and at the state of S3',
    cause,
  });
}
