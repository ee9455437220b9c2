// The dry run of bootstrap: the statements that it would run, without verifiers. Reads the catalog, changes nothing.
import type { DatabaseSession } from '../shared/database.ts';
import type { Migration } from '../shared/migration-files.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { ServerFacts } from './check-administrator.ts';
import type { BootstrapResult } from './contract.ts';
import { schemaStatement } from './install-schema.ts';
import type { RolePlan } from './plan-roles.ts';

type Described = Pick<BootstrapResult, 'changed' | 'unchanged' | 'statements' | 'findings'>;

/** What a real run would change. Rights in the schema are listed only where roles and schema exist to ask about. */
export async function describeDryRun(
  session: DatabaseSession,
  facts: ServerFacts,
  plan: RolePlan,
  pending: readonly Migration[],
): Promise<Described> {
  const planned = [...plan.statements, ...plan.optional.map(({ statement }) => statement)];
  const described: Described = {
    changed: planned.map(({ what }) => what),
    unchanged: [...plan.unchanged],
    statements: planned.map(({ shown }) => shown),
    findings: [...plan.findings],
  };
  await addListed(session, 'roles/database-privileges.sql', described);
  const schema = schemaStatement(facts);
  if (schema) {
    described.changed.push(schema.what);
    described.statements.push(schema.shown);
  }
  for (const { up } of pending) {
    described.changed.push(up.file);
    described.statements.push(...up.statements.map(({ firstLine }) => `${firstLine} … (${up.file})`));
  }
  const rolesAreThere = !plan.statements.some(({ sql }) => sql.startsWith('create role'));
  if (rolesAreThere && facts.has_schema) {
    await addListed(session, 'roles/schema-privileges.sql', described);
    await addListed(session, 'roles/default-privileges.sql', described);
  } else described.changed.push('rights in schema nightshift');
  return described;
}

async function addListed(session: DatabaseSession, file: string, described: Described): Promise<void> {
  const { rows } = await session.query<{ what: string; statement: string; present: boolean }>(readSqlFile(file));
  for (const { what, statement, present } of rows) {
    if (present) described.unchanged.push(what);
    else {
      described.changed.push(what);
      described.statements.push(statement);
    }
  }
}
