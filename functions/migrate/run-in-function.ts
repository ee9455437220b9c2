// What both entries of migrate do once their event is known: open the database, run, close it.
import { secretCredentials } from '../shared/credentials.ts';
import { createDatabase, limitsOf, tlsOf } from '../shared/database.ts';
import type { JobContext } from '../shared/job-handler.ts';
import { productFolder } from '../shared/migration-files.ts';
import type { SettingValues } from '../shared/read-environment.ts';
import type { MigrateEvent, MigrateResult } from './contract.ts';
import type { migrateSettings } from './environment.ts';
import { runMigrate } from './run-migrate.ts';

/** A long statement is left to the server by then: recording, answering and closing have to fit into what remains. */
const LEAVE_BEFORE_DEADLINE_MS = 60_000;

/** Carries out the event with the sessions that the settings allow; all are closed when it returns or throws. */
export async function runInFunction(
  job: JobContext & { event: MigrateEvent; settings: SettingValues<typeof migrateSettings> },
): Promise<MigrateResult> {
  const limits = limitsOf(job.settings);
  const database = createDatabase({
    job: 'migrate',
    credentials: secretCredentials(job.settings.DATABASE_SECRET_ARN),
    tls: tlsOf(job.settings),
    limits,
    maxConnections: job.settings.MAX_CONNECTIONS,
    // A data change that row level security would cut must fail instead of changing fewer rows.
    rowSecurity: 'off',
  });
  const pause = AbortSignal.timeout(Math.max(0, job.timeLimitMs - LEAVE_BEFORE_DEADLINE_MS));
  try {
    return await runMigrate({
      ...job,
      database,
      limits,
      folder: productFolder('migrations'),
      mayWatch: job.settings.MAX_CONNECTIONS > 1,
      databaseName: job.settings.DATABASE_NAME,
      clientDirectories: job.settings.POSTGRES_CLIENT_DIRECTORIES,
      lockAttempts: job.settings.LOCK_ATTEMPTS,
      pause,
    });
  } finally {
    await database.close();
  }
}
