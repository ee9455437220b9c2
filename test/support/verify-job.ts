// Runs the verify job on the bucket of startLocalAws(), with stock pg_restore or one that a test makes up.
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VerifyResult } from '../../functions/verify/contract.ts';
import { runInline, runVerify, type VerifyJob } from '../../functions/verify/run-verify.ts';
import { type RecordedContext, recordedContext } from './job-context.ts';

export interface VerifyOptions {
  database: string;
  /** POSTGRES_CLIENT_DIRECTORIES. */
  clients: string;
  settings?: Partial<VerifyJob['settings']>;
  context?: Partial<VerifyJob>;
}

/** A job with the given event. */
export function verifyJob(
  { database, clients, settings, context }: VerifyOptions,
  event: Partial<VerifyJob['event']> = {},
): VerifyJob & RecordedContext {
  return {
    ...recordedContext(),
    event: { job: 'verify', ...event },
    settings: {
      DATABASE_NAME: database,
      BACKUP_BUCKET: 'backups',
      POSTGRES_CLIENT_DIRECTORIES: clients,
      VERIFY_READERS: 2,
      VERIFY_STEPS: 8,
      VERIFY_INLINE_LIMIT_GIB: 8,
      VERIFY_SAMPLES: undefined,
      ...settings,
    },
    ...context,
  };
}

/** Verifies in one run. */
export async function verify(options: VerifyOptions, event: Partial<VerifyJob['event']> = {}): Promise<VerifyResult> {
  return await runInline(verifyJob(options, event));
}

/** One step of the workflow. */
export async function verifyStep(options: VerifyOptions, event: Partial<VerifyJob['event']>) {
  return await runVerify(verifyJob(options, event));
}

/** A folder of client programs whose pg_restore runs this shell script; the caller removes it. */
export function clientsWith(pgRestore: string, version = '15.18'): string {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-verify-clients-'));
  mkdirSync(join(folder, 'bin'));
  for (const [name, script] of [
    ['pg_dump', `echo "pg_dump (PostgreSQL) ${version}"`],
    ['pg_restore', pgRestore],
  ] as const) {
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'bin', name), 0o755);
  }
  return folder;
}

/** What `pg_restore --list` prints of an archive with so many entries, as far as verify reads it. */
export function listing(entries: number, tables: number): string {
  const lines = Array.from({ length: tables }, (_, index) => `${index + 1}; 0 0 TABLE DATA app t${index} app`);
  return `cat <<'END'\n;\n;     TOC Entries: ${entries}\n;\n${lines.join('\n')}\nEND`;
}
