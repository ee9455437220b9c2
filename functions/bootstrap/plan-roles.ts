// Compares the roles as they are with the roles as they must be, and says what to do. Pure: reads and changes nothing.
import { quoteIdentifier, quoteLiteral } from '../shared/quote-identifier.ts';
import type { Finding } from './contract.ts';
import { type PlannedStatement, plainStatement } from './planned-statement.ts';
import type { WantedRole } from './wanted-roles.ts';

/** A row of sql/roles/roles.sql. */
export interface ActualRole {
  name: string;
  login: boolean;
  superuser: boolean;
  createdb: boolean;
  createrole: boolean;
  replication: boolean;
  bypassrls: boolean;
  inherit: boolean;
  connection_limit: number;
  settings: string[];
  member_of: string[];
}

export interface RolePlan {
  statements: PlannedStatement[];
  /** BYPASSRLS, which a managed server may refuse. */
  optional: { role: string; statement: PlannedStatement }[];
  unchanged: string[];
  findings: Finding[];
}

/** What is wanted of a role besides its definition: a verifier means that the password must be set. */
export interface RoleWish {
  role: WantedRole;
  verifier: string | undefined;
}

/** The statements for all roles, in order; a role that is as it should be only adds to `unchanged`. */
export function planRoles(wishes: readonly RoleWish[], actual: readonly ActualRole[]): RolePlan {
  const plan: RolePlan = { statements: [], optional: [], unchanged: [], findings: [] };
  for (const wish of wishes) {
    const found = actual.find(({ name }) => name === wish.role.name);
    planAttributes(plan, wish, found);
    planMemberships(plan, wish.role, found);
    planSettings(plan, wish.role, found);
  }
  return plan;
}

function planAttributes(plan: RolePlan, { role, verifier }: RoleWish, found: ActualRole | undefined): void {
  const name = quoteIdentifier(role.name);
  const password = verifier === undefined ? '' : ` password ${quoteLiteral(verifier)}`;
  const hidden = verifier === undefined ? '' : " password '<SCRAM-SHA-256 verifier>'";
  if (found) {
    const options = differingOptions(role, found);
    if (options.length > 0) {
      plan.statements.push(
        plainStatement(`attributes of ${role.name}: ${options.join(' ')}`, `alter role ${name} ${options.join(' ')}`),
      );
    } else plan.unchanged.push(`attributes of ${role.name}`);
    if (verifier !== undefined) {
      plan.statements.push({
        what: `password of ${role.name}`,
        sql: `alter role ${name}${password}`,
        shown: `alter role ${name}${hidden}`,
      });
    } else plan.unchanged.push(`password of ${role.name}`);
  } else {
    const options = `login${role.createdb ? ' createdb' : ''} connection limit ${role.connectionLimit}`;
    plan.statements.push({
      what: `role ${role.name}`,
      sql: `create role ${name} ${options}${password}`,
      shown: `create role ${name} ${options}${hidden}`,
    });
  }
  if (role.bypassrls && found?.bypassrls !== true) {
    const statement = plainStatement(`bypassrls of ${role.name}`, `alter role ${name} bypassrls`);
    plan.optional.push({ role: role.name, statement });
  }
}

/** Only what differs: naming SUPERUSER, REPLICATION or BYPASSRLS at all takes a superuser up to PostgreSQL 15. */
function differingOptions(role: WantedRole, found: ActualRole): string[] {
  return [
    found.login ? '' : 'login',
    found.superuser ? 'nosuperuser' : '',
    found.createdb === role.createdb ? '' : role.createdb ? 'createdb' : 'nocreatedb',
    found.createrole ? 'nocreaterole' : '',
    found.replication ? 'noreplication' : '',
    found.bypassrls && !role.bypassrls ? 'nobypassrls' : '',
    found.inherit ? '' : 'inherit',
    found.connection_limit === role.connectionLimit ? '' : `connection limit ${role.connectionLimit}`,
  ].filter((option) => option !== '');
}

function planMemberships(plan: RolePlan, role: WantedRole, found: ActualRole | undefined): void {
  for (const group of role.memberOf) {
    const what = `membership of ${role.name} in ${group}`;
    if (found?.member_of.includes(group) === true) plan.unchanged.push(what);
    else plan.statements.push(plainStatement(what, `grant ${quoteIdentifier(group)} to ${quoteIdentifier(role.name)}`));
  }
  for (const group of found?.member_of ?? []) {
    if (role.memberOf.includes(group)) continue;
    plan.findings.push({
      id: 'extra_membership',
      subject: role.name,
      problem: `it is a member of "${group}", which its job does not need`,
      fix: `revoke ${quoteIdentifier(group)} from ${quoteIdentifier(role.name)}`,
    });
  }
}

function planSettings(plan: RolePlan, role: WantedRole, found: ActualRole | undefined): void {
  for (const [setting, value] of Object.entries(role.settings)) {
    const what = `${setting} of ${role.name}`;
    if (found?.settings.includes(`${setting}=${value}`) === true) plan.unchanged.push(what);
    else {
      const sql = `alter role ${quoteIdentifier(role.name)} set ${quoteIdentifier(setting)} = ${quoteLiteral(value)}`;
      plan.statements.push(plainStatement(`${what}: ${value}`, sql));
    }
  }
}
