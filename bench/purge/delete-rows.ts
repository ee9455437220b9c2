// The two ways to delete that are compared; both as nightshift_purge, with TLS, and with durable commits.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { readData } from './fill-templates.ts';
import type { PurgePlace } from './purge-process.ts';
import type { Deletion } from './run-record.ts';

/** Everything past retention in one statement. */
export async function deleteNaively(place: PurgePlace, signal: AbortSignal): Promise<Deletion> {
  const { host, port, dbname: database, username: user, password, caFile } = place;
  const fromMs = Date.now();
  const client = new Client({ host, port, database, user, password, ssl: { ca: readFileSync(caFile, 'utf8'), host } });
  client.on('error', () => {});
  const stop = () => void client.end().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    await client.connect();
    await client.query(readData('naive.sql'));
    const toMs = Date.now();
    return { fromMs, toMs, runs: 1, batches: 1, slowestBatchMs: toMs - fromMs };
  } finally {
    signal.removeEventListener('abort', stop);
    await client.end().catch(() => {});
  }
}

/** Our purge in a process of its own, whose start is not part of its time; throws its failure with its last words. */
export async function purge(place: PurgePlace, signal: AbortSignal): Promise<Deletion> {
  const child = fork(fileURLToPath(new URL('purge-process.ts', import.meta.url)), {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let answer: Deletion | undefined;
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    words = (words + chunk).slice(-4_000);
  });
  child.once('message', (message: Deletion) => {
    answer = message;
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
      child.send(place);
    });
    signal.throwIfAborted();
    if (code === 0 && answer !== undefined) return answer;
    throw new Error(`the process of our purge ended with code ${code}: ${words.trim()}`);
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
