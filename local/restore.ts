// `npm run restore`: restores a backup straight from S3 into a database of yours. Exit codes: 0 restored, 1 failed, 2 bad input.
import { systemClock } from '../functions/shared/clock.ts';
import { asJobFailure } from '../functions/shared/database-errors.ts';
import type { Log } from '../functions/shared/log.ts';
import { createObjectStore } from '../functions/shared/object-store.ts';
import { findClientTools } from '../functions/shared/postgres-client-tools.ts';
import { withPrivateFolder } from '../functions/shared/private-folder.ts';
import { openArchive } from '../functions/shared/restore/open-archive.ts';
import { runRestore } from '../functions/shared/restore/run-restore.ts';
import { findClientDirectories } from './postgres/find-binaries.ts';
import { chooseBackup } from './restore/choose-backup.ts';
import { describeBackup, describeMissingRoles, describeOutcome } from './restore/describe-restore.ts';
import { createTargetIfMissing, openTarget, requireServer } from './restore/open-target.ts';
import { HELP, parseArguments, type RestoreArguments } from './restore/parse-arguments.ts';
import { printPlan } from './restore/print-plan.ts';
import { startProgress } from './restore/show-progress.ts';
import { runCommand } from './run-command.ts';

/** The person at the terminal gets the progress instead. */
const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {} };

await runCommand(
  async (signal) => {
    const options = parseArguments(process.argv.slice(2), process.env);
    if (options === 'help') {
      console.log(HELP);
      return 0;
    }
    try {
      await restore(options, signal);
    } catch (error) {
      throw asJobFailure(error, {
        during: 'the restore',
        safeState: 'What was restored before is in the target, and the same command goes on with it',
      });
    }
    return 0;
  },
  { stopped: 'the same command goes on where it stopped', failureCode: 1 },
);

async function restore(options: RestoreArguments, signal: AbortSignal): Promise<void> {
  const store = createObjectStore(options.bucket);
  const chosen = await chooseBackup(store, options);
  const { manifest } = chosen;
  console.log(describeBackup(chosen, systemClock.now()));
  const target = openTarget(options.target, options.jobs, signal);
  const server = options.create ? target.inDatabase('postgres') : target;
  try {
    const { serverMajor, missingRoles } = await requireServer(server, manifest);
    if (missingRoles.length > 0) console.log(describeMissingRoles(missingRoles, options));
    const tools = await findClientTools(
      findClientDirectories()
        .map(({ directory }) => directory)
        .join(':'),
      Math.max(serverMajor, Number.parseInt(manifest.clientVersion, 10)),
    );
    const place = `"${options.target.dbname}" on ${options.target.host}:${options.target.port}, PostgreSQL ${serverMajor}, ${options.target.tlsSentence}`;
    await withPrivateFolder(systemClock, SILENT, async (folder) => {
      const source = { store, clock: systemClock, signal, onBytes: () => {} };
      const archive = await openArchive(source, manifest, folder);
      if (options.dryRun) {
        await printPlan({ source, archive, options, target, place });
        return;
      }
      if (options.create) await createTargetIfMissing({ archive, server, dbname: options.target.dbname, serverMajor });
      console.log(`Into ${place}`);
      const startedMs = systemClock.monotonicMs();
      const progress = startProgress(process.stderr, systemClock);
      try {
        const outcome = await runRestore({
          store,
          clock: systemClock,
          archive,
          tools,
          target,
          serverMajor,
          selection: options.selection,
          options: { ...options, skipForbidden: false, outlivesClient: false, keepRecords: false },
          pause: new AbortController().signal,
          signal,
          onProgress: progress.update,
        });
        progress.stop();
        const durationMs = systemClock.monotonicMs() - startedMs;
        console.log(describeOutcome(outcome, manifest, { selection: options.selection, durationMs }));
      } finally {
        progress.stop();
      }
    });
  } finally {
    await target.close();
    if (server !== target) await server.close();
  }
}
