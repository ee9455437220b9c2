// The run of bootstrap: secrets, administrator, plan, one transaction for everything, then a login as every role.
import { requireAdvisoryLock } from '../shared/advisory-lock.ts';
import type { CredentialSource } from '../shared/credentials.ts';
import type { Database, DatabaseSession } from '../shared/database.ts';
import type { JobContext } from '../shared/job-handler.ts';
import { type MigrationFolder, readMigrations } from '../shared/migration-files.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import { applyPlan } from './apply-plan.ts';
import { checkAdministrator } from './check-administrator.ts';
import type { BootstrapEvent, BootstrapResult } from './contract.ts';
import { describeDryRun } from './describe-dry-run.ts';
import { pendingSchemaFiles } from './install-schema.ts';
import { type ActualRole, planRoles, type RolePlan } from './plan-roles.ts';
import { proveLogins } from './prove-logins.ts';
import { type DatabasePlace, type RoleLogin, readRoleSecrets } from './read-role-secrets.ts';
import { requireLogins } from './require-logins.ts';
import { scramVerifier } from './scram-verifier.ts';
import type { WantedRole } from './wanted-roles.ts';

export interface BootstrapContext extends Pick<JobContext, 'runId' | 'log' | 'clock' | 'signal'> {
  event: BootstrapEvent;
  /** As the administrator. */
  database: Database;
  place: DatabasePlace;
  roleSecrets: readonly { role: WantedRole; source: CredentialSource }[];
  folder: MigrationFolder;
}

/** Brings roles, rights and schema nightshift to what they must be; running it again changes nothing. */
export async function runBootstrap(context: BootstrapContext): Promise<BootstrapResult> {
  const files = await readMigrations(context.folder, false);
  const { logins, findings } = await readRoleSecrets(context.roleSecrets, context.place);
  return await context.database.withSession(async (session) => {
    const facts = await checkAdministrator(session);
    const unlock = await requireAdvisoryLock(session, { ...exclusively, name: 'nightshift:bootstrap' });
    const plan = await planFor(context, session, logins);
    const pending = await pendingSchemaFiles(session, files);
    if (context.event.dryRun === true) {
      const described = await describeDryRun(session, facts, plan, pending);
      await unlock();
      return { dryRun: true, loginsProven: [], ...described, findings: [...findings, ...described.findings] };
    }
    const run = {
      kind: 'nightshift' as const,
      requestedBy: context.event.requestedBy ?? '',
      requestId: context.runId,
      clock: context.clock,
      signal: context.signal,
    };
    // Only for new files: a rotated password must not wait for the backup, which holds this lock shared for hours.
    const unlockSchema =
      pending.length > 0
        ? await requireAdvisoryLock(session, { ...exclusively, name: 'nightshift:schema' })
        : async () => {};
    await session.query('begin');
    const applied = await applyPlan(session, facts, plan, { run, pending });
    await session.query('commit');
    await unlockSchema();
    await unlock();
    context.log.info('bootstrap.committed', { changed: applied.changed.length, unchanged: applied.unchanged.length });
    for (const finding of [...findings, ...applied.findings]) context.log.warn('bootstrap.finding_reported', finding);
    const proven = requireLogins(await proveLogins(logins, context.place, context.database.tls));
    return {
      dryRun: false,
      changed: applied.changed,
      unchanged: applied.unchanged,
      statements: [],
      findings: [...findings, ...applied.findings],
      loginsProven: proven,
    };
  });
}

const exclusively = {
  mode: 'exclusive',
  job: 'bootstrap',
  safeState: 'No role, right or schema was changed',
} as const;

async function planFor(
  context: BootstrapContext,
  session: DatabaseSession,
  logins: readonly RoleLogin[],
): Promise<RolePlan> {
  const names = logins.map(({ role }) => role.name);
  const actual = (await session.query<ActualRole>(readSqlFile('roles/roles.sql'), [names])).rows;
  const existing = logins.filter(({ role }) => actual.some(({ name }) => name === role.name));
  const attempts = await proveLogins(existing, context.place, context.database.tls);
  const right = new Set(attempts.filter(({ ok }) => ok).map(({ role }) => role));
  const wishes = logins.map(({ role, preparedPassword }) => ({
    role,
    verifier: right.has(role.name) ? undefined : scramVerifier(preparedPassword),
  }));
  return planRoles(wishes, actual);
}
