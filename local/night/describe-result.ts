// One line of figures for the answer of each job, for the progress and the table at the end.
import type { JobName } from '../../functions/shared/jobs.ts';

type Answer = Readonly<Record<string, unknown>>;

const describers: Partial<Record<JobName, (answer: Answer) => string>> = {
  backup: (answer) => `${count(answer['tables'])} tables, ${count(answer['rows'])} rows, ${megabytes(answer['bytes'])}`,
  'restore-drill': (answer) =>
    `${String(answer['outcome'])} (${count(answer['tables'])} tables, ${count(answer['rows'])} rows), restored in ${Number(answer['rtoSeconds']).toFixed(1)} s`,
};

/** Figures of an answer; jobs without an own line show the plain values of their answer. */
export function describeResult(job: JobName, answer: Answer): string {
  const describe = describers[job];
  if (describe) return describe(answer);
  const plain = Object.entries(answer).filter(([, value]) => ['number', 'boolean'].includes(typeof value));
  return plain.map(([name, value]) => `${name} ${typeof value === 'number' ? count(value) : String(value)}`).join(', ');
}

/** A number with thousands parted by commas. */
export function count(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}

/** Bytes as MB with one decimal. */
export function megabytes(value: unknown): string {
  return `${(Number(value) / 1_000_000).toFixed(1)} MB`;
}
