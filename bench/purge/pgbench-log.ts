// Reads the log that pgbench writes of every transaction, and parts it in those before and those during the purge. Pure.
import { quantile } from '../statistics.ts';

export interface Transaction {
  /** Place of its script in the arguments of pgbench, from 0. */
  script: number;
  /** When it was due, in ms since 1970: with a rate, a late start counts as waiting, as it does for a person. */
  dueMs: number;
  endMs: number;
}

export interface Latency {
  count: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** Moments in ms since 1970. */
export interface Phases {
  idleFromMs: number;
  idleToMs: number;
  purgeFromMs: number;
  purgeToMs: number;
}

/** client, number of the transaction, µs from due to end, script, end in s and µs, and µs from due to start. */
const LINE = /^\d+ \d+ (\d+) (\d+) (\d+) (\d+)(?: \d+)*$/;

/** The transactions of a log; a last line without its end, which is still being written, is left out. */
export function parsePgbenchLog(text: string): Transaction[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, micros, script, seconds, fraction] = LINE.exec(line) ?? [];
      if (fraction === undefined) throw new Error(`pgbench logged no transaction that ended well: "${line}"`);
      const endMs = Number(seconds) * 1_000 + Number(fraction) / 1_000;
      return { script: Number(script), dueMs: endMs - Number(micros) / 1_000, endMs };
    });
}

/** Latencies of those that were over before the purge, and of all that any part of the purge fell into. Null for none. */
export function latenciesOf(
  transactions: readonly Transaction[],
  { idleFromMs, idleToMs, purgeFromMs, purgeToMs }: Phases,
): { idle: Latency | null; during: Latency | null } {
  return {
    idle: latencyOf(transactions.filter(({ dueMs, endMs }) => dueMs >= idleFromMs && endMs <= idleToMs)),
    during: latencyOf(transactions.filter(({ dueMs, endMs }) => endMs > purgeFromMs && dueMs < purgeToMs)),
  };
}

function latencyOf(transactions: readonly Transaction[]): Latency | null {
  const values = transactions.map(({ dueMs, endMs }) => endMs - dueMs);
  const p50Ms = quantile(values, 0.5);
  const p99Ms = quantile(values, 0.99);
  const maxMs = quantile(values, 1);
  if (p50Ms === undefined || p99Ms === undefined || maxMs === undefined) return null;
  return { count: values.length, p50Ms, p99Ms, maxMs };
}
