// Carries the plan out in the caller's transaction: roles, rights, schema, functions, in the order in which they need each other.
import type { DatabaseSession } from '../shared/database.ts';
import type { Migration } from '../shared/migration-files.ts';
import { splitMigration } from '../shared/migration-statements.ts';
import type { MigrationRun } from '../shared/migration-steps.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { ServerFacts } from './check-administrator.ts';
import type { Finding } from './contract.ts';
import { asOwner, installSchema } from './install-schema.ts';
import type { RolePlan } from './plan-roles.ts';
import { plainStatement } from './planned-statement.ts';
import { runStatement, tryStatement } from './run-statement.ts';

export interface Applied {
  changed: string[];
  unchanged: string[];
  findings: Finding[];
}

/** Applies everything; the caller commits, or rolls back when this throws. */
export async function applyPlan(
  session: DatabaseSession,
  facts: ServerFacts,
  plan: RolePlan,
  schema: { run: MigrationRun; pending: readonly Migration[] },
): Promise<Applied> {
  const applied: Applied = { changed: [], unchanged: [...plan.unchanged], findings: [...plan.findings] };
  for (const statement of plan.statements) {
    await runStatement(session, statement, facts);
    applied.changed.push(statement.what);
  }
  await grantBypassRls(session, facts, plan, applied);
  await grantListed(session, facts, 'roles/database-privileges.sql', applied);
  const giveBack = await becomeMember(session, facts);
  applied.changed.push(...(await installSchema(session, facts, schema.run, schema.pending)));
  await asOwner(session, facts, async () => {
    await grantListed(session, facts, 'roles/schema-privileges.sql', applied);
    await grantListed(session, facts, 'roles/default-privileges.sql', applied);
  });
  await installGroupRoleFunctions(session, facts, applied);
  await grantSequences(session, facts, applied);
  await giveBack();
  return applied;
}

async function grantBypassRls(session: DatabaseSession, facts: ServerFacts, plan: RolePlan, applied: Applied) {
  for (const { role, statement } of plan.optional) {
    const refusal = await tryStatement(session, statement, facts);
    if (refusal === undefined) applied.changed.push(statement.what);
    else {
      applied.findings.push({
        id: 'bypassrls_not_granted',
        subject: role,
        problem: `the server refused BYPASSRLS (${refusal}); its job refuses tables whose row level security applies to it`,
        fix: `as superuser: alter role ${role} bypassrls; where no one may do that: grant <owner of the table> to ${role}, for tables without FORCE ROW LEVEL SECURITY`,
      });
    }
  }
}

interface Privilege {
  what: string;
  statement: string;
  present: boolean;
}

async function grantListed(session: DatabaseSession, facts: ServerFacts, file: string, applied: Applied) {
  const { rows } = await session.query<Privilege>(readSqlFile(file));
  for (const { what, statement, present } of rows) {
    if (present) applied.unchanged.push(what);
    else {
      await runStatement(session, plainStatement(what, statement), facts);
      applied.changed.push(what);
    }
  }
}

/**
 * Lets an administrator without superuser work as nightshift_migrate; returns what ends that again.
 *
 * Up to PostgreSQL 15 CREATEROLE may grant any role to itself. From 16 on the maker of a role has only its ADMIN option,
 * with which it grants itself the right to inherit and to SET ROLE.
 */
async function becomeMember(session: DatabaseSession, facts: ServerFacts): Promise<() => Promise<void>> {
  const { rows } = await session.query<{ able: boolean }>(
    facts.version_number >= 160_000
      ? "select pg_has_role('nightshift_migrate', 'usage') and pg_has_role('nightshift_migrate', 'set') as able"
      : "select pg_has_role('nightshift_migrate', 'usage') as able",
  );
  if (facts.is_superuser || rows[0]?.able === true) return async () => {};
  const options = facts.version_number >= 160_000 ? ' with inherit true, set true' : '';
  const what = `membership of ${facts.administrator} in nightshift_migrate for the time of bootstrap`;
  await runStatement(session, plainStatement(what, `grant nightshift_migrate to current_user${options}`), facts);
  return async () => {
    await runStatement(session, plainStatement(what, 'revoke nightshift_migrate from current_user'), facts);
  };
}

async function installGroupRoleFunctions(session: DatabaseSession, facts: ServerFacts, applied: Applied) {
  const what = 'functions nightshift.create_group_role and nightshift.drop_group_role';
  const state = async () =>
    (await session.query<{ state: string }>(readSqlFile('roles/group-role-functions-state.sql'))).rows[0]?.state;
  const before = await state();
  const file = 'roles/group-role-functions.sql';
  for (const statement of (await splitMigration(file, readSqlFile(file))).statements) {
    await runStatement(session, plainStatement(what, statement.text), facts);
  }
  (before === (await state()) ? applied.unchanged : applied.changed).push(what);
}

interface Sequence {
  sequence: string;
  statement: string;
  owner: string;
  may_grant: boolean;
}

async function grantSequences(session: DatabaseSession, facts: ServerFacts, applied: Applied) {
  const { rows } = await session.query<Sequence>(readSqlFile('roles/unreadable-sequences.sql'));
  for (const { sequence, statement, owner, may_grant } of rows) {
    const what = `select on sequence ${sequence} for nightshift_health`;
    const refusal = may_grant ? await tryStatement(session, plainStatement(what, statement), facts) : 'not its owner';
    if (refusal === undefined) applied.changed.push(what);
    else {
      applied.findings.push({
        id: 'sequence_unreadable',
        subject: sequence,
        problem: `nightshift_health cannot read it (${refusal}), so its exhaustion is unknown`,
        fix: `as role "${owner}": ${statement}`,
      });
    }
  }
}
