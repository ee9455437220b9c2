// A database with rows and a backup role of its own, and the means to make a backup of it and to see what it left.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { BackupResult } from '../../functions/backup/contract.ts';
import type { BackupJob } from '../../functions/backup/run-backup.ts';
import { runInline } from '../../functions/backup/steps/run-inline.ts';
import { quoteIdentifier, quoteLiteral } from '../../functions/shared/quote-identifier.ts';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { recordedContext } from './job-context.ts';
import { BUCKET, type LocalAws } from './local-aws.ts';

export interface BackupSource {
  readonly fresh: FreshDatabase;
  readonly settings: BackupJob['settings'];
  readonly role: string;
  readonly secretArn: string;
  /** The folder of the client programs that backups use; replace a program in it to inject a fault. */
  readonly clients: string;
  /** Sets the password of the role in the server and, unless told otherwise, in the secret. */
  rotate(where: { secret: boolean }): Promise<string>;
  writeSecret(password: string): void;
  backUp(more?: Partial<BackupJob>, event?: Partial<BackupJob['event']>): Promise<BackupResult>;
  /** Replaces a client program by a shell script; `REAL` in it stands for the real one. */
  replaceProgram(program: 'pg_dump' | 'pg_dumpall' | 'pg_restore', script: string): void;
  restorePrograms(): void;
  drop(): Promise<void>;
}

/** Rows of app.readings, about 36 MB as COPY text that compresses badly: more than four parts in flight. */
export const READINGS = 500_000;

export async function createBackupSource(aws: LocalAws, readings = READINGS): Promise<BackupSource> {
  const fresh = await createFreshDatabase();
  const role = `backup_${randomBytes(5).toString('hex')}`;
  const secretArn = `arn:aws:secretsmanager:us-east-1:000000000000:secret:${role}-abcdef`;
  const real = inject('cluster').clientDirectory;
  const clients = mkdtempSync(join(tmpdir(), 'nightshift-test-clients-'));
  const programs = ['pg_dump', 'pg_dumpall', 'pg_restore'] as const;
  mkdirSync(join(clients, 'bin'));
  const restorePrograms = () => {
    for (const program of programs) {
      rmSync(join(clients, 'bin', program), { force: true });
      symlinkSync(join(real, program), join(clients, 'bin', program));
    }
  };
  restorePrograms();
  await fresh.query(`create role ${quoteIdentifier(role)} login bypassrls`);
  await fresh.query(`grant pg_read_all_data to ${quoteIdentifier(role)}`);
  await fresh.query('create schema app; create table app.notes (id int primary key, body text)');
  await fresh.query("insert into app.notes select n, 'note ' || n from generate_series(1, 1000) n");
  await fresh.query('create table app.readings (id bigint generated always as identity primary key, value text)');
  await fresh.query(
    `insert into app.readings (value) select md5(n::text) || md5((n * 7)::text) from generate_series(1, ${readings}) n`,
  );

  let backups = 0;
  const nextTime = () => {
    // Each backup gets a time of its own: two in the same second would be two attempts at one.
    backups += 1;
    return new Date(Date.UTC(2026, 0, 1, 0, 0, backups)).toISOString();
  };
  const writeSecret = (password: string) => {
    const { host, port, dbname } = fresh.credentials();
    aws.secrets.setSecret(
      secretArn,
      JSON.stringify({ engine: 'postgres', host, port, dbname, username: role, password }),
    );
  };
  const rotate = async ({ secret }: { secret: boolean }) => {
    const password = randomBytes(12).toString('hex');
    await fresh.query(`alter role ${quoteIdentifier(role)} password ${quoteLiteral(password)}`);
    if (secret) writeSecret(password);
    return password;
  };
  await rotate({ secret: true });

  const settings: BackupJob['settings'] = {
    DATABASE_NAME: 'shop',
    DATABASE_SECRET_ARN: secretArn,
    DATABASE_CA_FILE: fresh.tls.caFile,
    UNSAFE_DATABASE_TLS: undefined,
    LOCK_TIMEOUT_MS: 5_000,
    STATEMENT_TIMEOUT_MS: 60_000,
    MAX_CONNECTIONS: 4,
    BACKUP_BUCKET: BUCKET,
    POSTGRES_CLIENT_DIRECTORIES: clients,
    PARTS_IN_FLIGHT: 4,
    CODEC: 'gzip',
    WORKERS: 2,
    INLINE_LIMIT_GIB: 8,
    COPY_STEPS: 8,
    SNAPSHOT_HOLDER: 'server',
    SNAPSHOT_LIFE_SECONDS: 600,
    RELAY_SHIFT_SECONDS: 60,
    INCLUDE_SCHEMAS: [],
    EXCLUDE_SCHEMAS: [],
    INCLUDE_TABLES: [],
    EXCLUDE_TABLES: [],
    EXCLUDE_TABLE_DATA: [],
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: undefined,
  };

  return {
    fresh,
    settings,
    role,
    secretArn,
    clients,
    rotate,
    writeSecret,
    restorePrograms,
    replaceProgram: (program, script) => {
      const path = join(clients, 'bin', program);
      rmSync(path, { force: true });
      const text = `#!/bin/bash\nREAL=${join(real, program)}\n[ "$1" = --version ] && exec "$REAL" --version\n${script}\n`;
      writeFileSync(path, text);
      chmodSync(path, 0o755);
    },
    backUp: async (more = {}, event = {}) =>
      await runInline({
        ...recordedContext(),
        event: { job: 'backup', scheduledTime: nextTime(), ...event },
        settings,
        ...more,
      }),
    drop: async () => {
      rmSync(clients, { recursive: true, force: true });
      await fresh.query(`drop owned by ${quoteIdentifier(role)}`);
      await fresh.drop();
      await dropRole(role);
    },
  };
}

async function dropRole(role: string): Promise<void> {
  const other = await createFreshDatabase();
  await other.query(`drop role ${quoteIdentifier(role)}`);
  await other.drop();
}
