// Each step of a case as the command that is run: pg_restore, vacuumdb, the download, and ours.
import { join } from 'node:path';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { libpqEnvironment, type PeerCommand } from '../backup/peer-commands.ts';
import { BUCKET, DATABASE, nodeEnvironment } from '../backup/run-ours.ts';
import { JOBS, type StepName } from './cases.ts';
import type { RestoreWorld } from './restore-world.ts';

/** The database that every run makes anew. */
export const TARGET = 'bench_restored';

export interface RestorePlace {
  backupId: string;
  /** For pg_restore; the download makes it. */
  archiveFolder: string;
  /** Undefined for a case that needs no S3. */
  s3: string | undefined;
}

export type RestoreCommand = Omit<PeerCommand, 'output'>;

type Programs = Pick<RestoreWorld, 'restorer' | 'vacuumdb' | 'restoreProgram' | 'downloadProgram'>;

/** The command of a step. */
export function restoreCommand(
  { restorer, vacuumdb, restoreProgram, downloadProgram }: Programs,
  step: StepName,
  { backupId, archiveFolder, s3 = '' }: RestorePlace,
): RestoreCommand {
  const ofDatabase = libpqEnvironment(restorer, TARGET);
  const url = `postgres://${restorer.host}:${restorer.port}/${TARGET}`;
  const from = ['--bucket', BUCKET, '--database', DATABASE, '--backup', backupId, '--allow-unproven'];
  const commands: Record<StepName, RestoreCommand> = {
    pg_restore: {
      program: join(restorer.clients.directory, 'pg_restore'),
      args: [`-j${JOBS}`, '-d', TARGET, archiveFolder],
      environment: ofDatabase,
    },
    vacuumdb: {
      program: vacuumdb,
      args: ['--analyze-only', '--quiet', `-j${JOBS}`, '-d', TARGET],
      environment: ofDatabase,
    },
    download: {
      program: process.execPath,
      args: [downloadProgram, BUCKET, backupKeys(DATABASE, backupId).archive, archiveFolder],
      environment: nodeEnvironment(s3),
    },
    ours: {
      program: process.execPath,
      args: [restoreProgram, '--target-url', url, ...from, '--jobs', String(JOBS)],
      // The same pg_restore as that of the peers.
      environment: { ...ofDatabase, ...nodeEnvironment(s3), NIGHTSHIFT_POSTGRES_BIN: restorer.clients.directory },
    },
  };
  return commands[step];
}
