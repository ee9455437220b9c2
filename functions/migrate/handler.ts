// Lambda entry of migrate: applies, reverts or lists the files of sql/migrations. Invoked by hand or at deploy, never scheduled.
import { secretCredentials } from '../shared/credentials.ts';
import { createDatabase, limitsOf, tlsOf } from '../shared/database.ts';
import { jobHandler } from '../shared/job-handler.ts';
import { productFolder } from '../shared/migration-files.ts';
import { migrateEventSchema } from './contract.ts';
import { migrateSettings } from './environment.ts';
import { runMigrate } from './run-migrate.ts';

export const handler = jobHandler({
  job: 'migrate',
  settings: migrateSettings,
  event: migrateEventSchema,
  run: async (job) => {
    const database = createDatabase({
      job: 'migrate',
      credentials: secretCredentials(job.settings.DATABASE_SECRET_ARN),
      tls: tlsOf(job.settings),
      limits: limitsOf(job.settings),
      maxConnections: job.settings.MAX_CONNECTIONS,
      // A data change that row level security would cut must fail instead of changing fewer rows.
      rowSecurity: 'off',
    });
    try {
      return await runMigrate({
        ...job,
        database,
        folder: productFolder('migrations'),
        mayWatch: job.settings.MAX_CONNECTIONS > 1,
      });
    } finally {
      await database.close();
    }
  },
});
