// Starts the S3 of one run as a process of its own: the discarding one or the local store.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DiscardCounters } from './discard-store.ts';
import type { StoreMessage } from './store-process.ts';

export type StoreSettings =
  | { kind: 'discard'; latencyMs: number }
  /** `latencyMs` is waited before anything of a request is looked at; none without it. */
  | { kind: 'disk'; folder: string; bucket: string; latencyMs?: number };

export interface StoreProcess {
  readonly endpoint: string;
  readonly processId: number;
  /** What the discarding store has counted; null for the local store. */
  counters(): Promise<DiscardCounters | null>;
  stop(): Promise<void>;
}

/** Settles when it takes requests. It ends by itself when this process ends, however that happens. */
export async function startStore(settings: StoreSettings): Promise<StoreProcess> {
  const args =
    settings.kind === 'discard'
      ? ['discard', String(settings.latencyMs)]
      : ['disk', settings.folder, settings.bucket, String(settings.latencyMs ?? 0)];
  const child = fork(fileURLToPath(new URL('store-process.ts', import.meta.url)), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const nextMessage = async () =>
    await Promise.race([
      new Promise<StoreMessage>((resolve) => child.once('message', (message: StoreMessage) => resolve(message))),
      ended.then((): never => {
        throw new Error(`the ${settings.kind} store ended by itself`);
      }),
    ]);
  const first = await nextMessage();
  if (!('endpoint' in first)) throw new Error(`the ${settings.kind} store did not say its endpoint`);
  return {
    endpoint: first.endpoint,
    processId: child.pid ?? 0,
    counters: async () => {
      const answer = nextMessage();
      child.send('counters');
      const message = await answer;
      return 'counters' in message ? message.counters : null;
    },
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
