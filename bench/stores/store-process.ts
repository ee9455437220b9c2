// Runs as a process of its own, so that its processor time and memory can be told apart: one S3 for one run.
// usage: node store-process.ts discard <latency in ms> | disk <folder> <bucket> <latency in ms>
// Says its endpoint over the process channel and answers any message with its counters; ends when the owner is gone.
import { startObjectStoreServer } from '../../local/object-store-server.ts';
import { type DiscardCounters, startDiscardStore } from './discard-store.ts';

export type StoreMessage = { endpoint: string } | { counters: DiscardCounters | null };

const [kind = '', first = '', bucket = '', latency = '0'] = process.argv.slice(2);
const delayMs = Number(latency);

process.once('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group: the owner ends the run first, then this.
process.on('SIGINT', () => {});

const discard = kind === 'discard' ? await startDiscardStore({ latencyMs: Number(first) }) : undefined;
const store =
  discard ??
  (await startObjectStoreServer({
    directory: first,
    buckets: [{ name: bucket, versioned: true }],
    fault: () => (delayMs > 0 ? { delayMs } : undefined),
  }));
process.on('message', () => say({ counters: discard?.counters() ?? null }));
say({ endpoint: store.endpoint });

function say(message: StoreMessage): void {
  process.send?.(message);
}
