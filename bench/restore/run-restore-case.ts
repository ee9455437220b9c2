// One run of a case: a fresh database, its steps one after the other, and the proof of what is in the database then.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { asSuperuser } from '../backup/data-sets.ts';
import { runProgram } from '../backup/run-client.ts';
import { BUCKET, DATABASE } from '../backup/run-ours.ts';
import { startStore } from '../stores/start-store.ts';
import type { RestoreCase } from './cases.ts';
import { proveRestore } from './prove-restore.ts';
import { restoreCommand, TARGET } from './restore-commands.ts';
import type { RestoreDataSet, RestoreWorld } from './restore-world.ts';
import type { RestoreStep } from './run-record.ts';

/** Runs it; throws when a step fails or the database is not what was backed up. The database is gone afterwards. */
export async function runRestoreCase(
  world: RestoreWorld,
  dataSet: RestoreDataSet,
  restoreCase: RestoreCase,
): Promise<RestoreStep[]> {
  const { signal, storeFolder: folder } = world;
  const { backupId } = dataSet;
  const downloaded = join(world.diskFolder, 'downloaded');
  const store =
    restoreCase.from === 'files'
      ? undefined
      : await startStore({ kind: 'disk', folder, bucket: BUCKET, ...restoreCase.from });
  try {
    await asSuperuser(world, 'postgres', async (client) => {
      await client.query(`create database ${TARGET} template template0`);
      // What earlier runs have left to be written is written now.
      await client.query('checkpoint');
    });
    const steps: RestoreStep[] = [];
    for (const name of restoreCase.steps) {
      const command = restoreCommand(world, name, {
        backupId,
        archiveFolder:
          restoreCase.from === 'files' ? join(folder, BUCKET, backupKeys(DATABASE, backupId).archive) : downloaded,
        s3: store?.endpoint,
      });
      const watched = { serverProcessId: world.cluster.processId, sinkProcessId: store?.processId, signal };
      steps.push({ name, ...(await runProgram(command, watched)) });
    }
    await asSuperuser(world, TARGET, async (client) => await proveRestore(client, dataSet));
    return steps;
  } finally {
    await store?.stop();
    rmSync(downloaded, { recursive: true, force: true });
    if (!signal.aborted) {
      await asSuperuser(world, 'postgres', async (client) => {
        await client.query(`drop database if exists ${TARGET} with (force)`);
      });
    }
  }
}
