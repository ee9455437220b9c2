// Lambda entry of bootstrap: the roles, their passwords and rights, and schema nightshift. By hand or at deploy, never scheduled.
// The only function that may read the administrator's secret and all role secrets.
import { loginCredentials, secretCredentials } from '../shared/credentials.ts';
import { createDatabase, tlsOf } from '../shared/database.ts';
import { jobHandler } from '../shared/job-handler.ts';
import { productFolder } from '../shared/migration-files.ts';
import { bootstrapEventSchema } from './contract.ts';
import { bootstrapSettings } from './environment.ts';
import { roleSecretSources } from './role-secret-sources.ts';
import { runBootstrap } from './run-bootstrap.ts';

export const handler = jobHandler({
  job: 'bootstrap',
  settings: bootstrapSettings,
  event: bootstrapEventSchema,
  run: async (job) => {
    const { settings } = job;
    const place = {
      host: settings.DATABASE_HOST,
      port: settings.DATABASE_PORT,
      dbname: settings.DATABASE_DBNAME,
    };
    const database = createDatabase({
      job: 'bootstrap',
      credentials: loginCredentials(settings.ADMIN_SECRET_ARN, place),
      tls: tlsOf(settings),
      limits: { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 60_000 },
      maxConnections: 2,
      rowSecurity: 'off',
    });
    const roleSecrets = roleSecretSources(settings, secretCredentials);
    try {
      return await runBootstrap({ ...job, database, place, roleSecrets, folder: productFolder('nightshift') });
    } finally {
      await database.close();
    }
  },
});
