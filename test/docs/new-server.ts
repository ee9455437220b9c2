// A server on which nobody has restored yet, for the blocks of docs/restore.md: with a superuser, or with an administrator
// as RDS gives one.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { startThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { BUCKET, type LocalAws } from '../support/local-aws.ts';
import type { ShellBlock } from './shell-blocks.ts';

const root = join(import.meta.dirname, '../..');

export interface ShellEnd {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export type ServerKind = 'superuser' | 'rds';

/** A new server with a folder of its own below `work`, and a shell that runs the blocks of a section of the page there. */
export async function newServer(
  kind: ServerKind,
  { work, aws, backupId, blocks }: { work: string; aws: LocalAws; backupId: string; blocks: readonly ShellBlock[] },
) {
  const cluster = await startThrowawayCluster();
  const folder = join(work, kind);
  mkdirSync(folder);
  const environment = {
    PATH: [work, cluster.binaries.directory, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'))),
    NIGHTSHIFT: root,
    DATABASE_NAME: 'shop',
    BACKUP_BUCKET: BUCKET,
    HOME: folder,
    NIGHTSHIFT_TEST_BUCKETS: dirname(aws.bucketFolder),
    DATABASE: 'shop',
    BUCKET,
    BACKUP: backupId,
    PGHOST: cluster.host,
    PGPORT: String(cluster.port),
    PGUSER: cluster.superuser.user,
    PGPASSWORD: cluster.superuser.password,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: cluster.caFile,
  };
  const shell = async (script: string): Promise<ShellEnd> =>
    await new Promise((resolve) => {
      const options = { cwd: folder, env: environment };
      execFile('bash', ['-euo', 'pipefail', '-c', script], options, (error, stdout, stderr) => {
        resolve({ exitCode: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      });
    });
  const sql = async (dbname: string, text: string) => {
    writeFileSync(join(folder, 'query.sql'), text);
    const end = await shell(`psql -X -d ${dbname} -Atq -v ON_ERROR_STOP=1 -f query.sql`);
    if (end.exitCode !== 0) throw new Error(end.stderr);
    return end.stdout.trim();
  };
  if (kind === 'rds') {
    // As the master user of RDS: may create roles and databases, is no superuser.
    await sql('postgres', "create role master login createrole createdb password 'master'");
    Object.assign(environment, { PGUSER: 'master', PGPASSWORD: 'master' });
  }
  const section = async (title: string): Promise<ShellEnd> => {
    const scripts = blocks.filter(({ section: of, tag }) => of === title && (tag === '' || tag === kind));
    if (scripts.length === 0) throw new Error(`docs/restore.md has no shell block under "${title}"`);
    return await shell(scripts.map(({ text }) => text).join('\n'));
  };
  return { cluster, folder, environment, shell, sql, section };
}
