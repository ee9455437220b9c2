// Restores a backup into the scratch database of a drill, by the engine that a person restores with.

import type { Database } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { findClientTools } from '../shared/postgres-client-tools.ts';
import { hasRecords, readLeftOut } from '../shared/restore/restore-records.ts';
import { runRestore } from '../shared/restore/run-restore.ts';
import { readServerMajor } from '../shared/restore/target-database.ts';
import { renewLease, scratchExists } from '../shared/scratch-database.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import { checkStorage, LOOKED_AND_KILLED } from './check-storage.ts';
import { comparison } from './compare/comparison.ts';
import { findLacks } from './compare/find-lacks.ts';
import { readStoredInventory } from './compare/read-expected.ts';
import type { DrillState } from './contract.ts';
import type { DrillPass } from './drill-pass.ts';
import { createScratch, drillScratch } from './drill-scratch.ts';
import { makeRoles } from './make-roles.ts';
import { PassOver } from './pass-time.ts';

/** After the limit of a pass its workflow may still start another one. */
const LEASE_SLACK_MS = 900_000;

/** Everything restored, or PassOver; the time it took is in the state. A restore that is complete costs a few queries. */
export async function restoreBackup(pass: DrillPass): Promise<void> {
  const { job, server, manifest, archive, time, state } = pass;
  const { clock, log, settings, store } = job;
  const major = await prepareServer(pass);
  if (state.rtoSeconds !== null) return;
  const tools = await findClientTools(
    settings.POSTGRES_CLIENT_DIRECTORIES,
    // pg_restore reads archives of its own major and older ones only.
    Math.max(major, Number.parseInt(manifest.clientVersion, 10)),
  );
  const isOwnTarget = server.kind === 'drill target';
  const scratch = server.openScratch(state.scratch, time.breakOff);
  let lastStage = '';
  try {
    pass.state = { ...pass.state, ...(await readProgress(scratch, pass.state)) };
    const outcome = await runRestore({
      store,
      clock,
      archive,
      tools,
      target: scratch,
      serverMajor: major,
      selection: { schemas: [], tables: [], part: 'all' },
      options: {
        noOwner: !isOwnTarget,
        noPrivileges: !isOwnTarget,
        noTablespaces: true,
        jobs: Math.max(1, settings.MAX_CONNECTIONS - 1),
        allowNonEmpty: false,
        skipForbidden: true,
        outlivesClient: true,
        keepRecords: true,
      },
      pause: time.pause,
      signal: time.breakOff,
      onProgress: ({ stage, ...figures }) => {
        if (stage === lastStage) return;
        lastStage = stage;
        log.info(`restore_drill.${stage.replaceAll(' ', '_')}_begun`, { backup_id: manifest.backupId, ...figures });
      },
    });
    if (!outcome.isDone) throw new PassOver();
    const startedMs = Date.parse(pass.state.restoreStartedAt ?? '');
    const rtoSeconds = Math.max(0, Math.round(clock.now().getTime() - startedMs)) / 1_000;
    pass.state = { ...pass.state, rtoSeconds, forbidden: [...outcome.forbidden] };
    log.info('restore_drill.restored', { backup_id: manifest.backupId, rto_seconds: rtoSeconds });
  } catch (error) {
    if (error instanceof JobFailure && error.code === 'restore.statement_failed') {
      const forbidden = await scratch.withSession(readLeftOut).catch(() => []);
      pass.state = { ...pass.state, forbidden };
    }
    throw error;
  } finally {
    await scratch.close();
  }
}

/** How far the restore is; while the server works on by itself, as on a long index, a pass is not idle. */
async function readProgress(
  scratch: Database,
  { stepsDone, idlePasses }: DrillState,
): Promise<Pick<DrillState, 'stepsDone' | 'idlePasses'>> {
  const { done, busy } = await scratch.withSession(async (session) => {
    if (!(await hasRecords(session))) return { done: 0, busy: 0 };
    const { rows } = await session.query<{ done: number; busy: number }>(readSqlFile('restore-drill/progress.sql'));
    return rows[0] ?? { done: 0, busy: 0 };
  });
  return { stepsDone: done, idlePasses: done > stepsDone || busy > 0 ? 0 : idlePasses };
}

/** Looks at the server, makes the scratch database and renews its lease. */
async function prepareServer(pass: DrillPass): Promise<number> {
  const { job, server, manifest, archive, state } = pass;
  const inventory = await readStoredInventory(job.store, manifest);
  return await server.database.withSession(async (session) => {
    const major = await readServerMajor(session);
    const sourceMajor = Number.parseInt(manifest.engine.version, 10);
    if (major < sourceMajor) {
      throw new JobFailure({
        code: 'drill.target_too_old',
        problem: `backup ${manifest.backupId} comes from PostgreSQL ${sourceMajor}, the server to restore into is PostgreSQL ${major}`,
        safeState: 'Nothing was restored',
        hint: `drill on a server of PostgreSQL ${sourceMajor} or newer`,
      });
    }
    pass.lacks = await findLacks(session, manifest, inventory);
    if (server.kind === 'drill target') Object.assign(pass, await makeRoles(session, manifest.roles, pass.lacks));
    const decisive = pass.lacks.filter(({ what }) => !what.startsWith('role '));
    if (decisive.length > 0) {
      throw new JobFailure({
        code: 'drill.unproven',
        problem: `this server lacks ${decisive.map(({ what }) => what).join(', ')}`,
        safeState: 'Nothing was restored',
        hint: 'install it on the server, or drill on a target of its own that has it',
      });
    }
    if (await scratchExists(session, state.scratch)) {
      pass.state = { ...pass.state, storageFindings: state.storageFindings ?? [LOOKED_AND_KILLED] };
    } else {
      const storageFindings = await checkStorage(pass, session);
      await createScratch(session, state.scratch, {
        toc: archive.toc,
        encoding: manifest.encoding,
        serverMajor: major,
      });
      // A pass that was killed may have left the drill's state behind the database that somebody dropped.
      pass.state = { ...pass.state, storageFindings, rtoSeconds: null, nextItem: 0, soFar: comparison({}) };
    }
    const until = new Date(job.clock.now().getTime() + job.timeLimitMs + LEASE_SLACK_MS);
    await renewLease(session, drillScratch, state.scratch, until);
    return major;
  });
}
