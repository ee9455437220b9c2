// Reads nightshift.config.ts (or the JSON that a caller hands over) and checks it: everything wrong is reported at once.
// Called by app.ts, before any construct exists, so a wrong config synthesizes nothing.
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { shortestKeep } from './backup-store-config.ts';
import { type DatabaseConfig, databaseConfigSchema, placeOfDatabase } from './config.ts';
import { connectionsNeeded, jobConnections } from './connection-budget.ts';
import { describeConfigIssue } from './describe-config-issue.ts';
import { drillSection, targetProblems } from './drill-config.ts';
import { firstSkippedDate } from './local-time-gaps.ts';
import { migrateSection, pollProblems } from './migrate-config.ts';
import { purgeProblems, purgeSection } from './purge-config.ts';

/** Either all databases with their defaults, or every problem as one line each. */
export type LoadedConfig =
  | { databases: DatabaseConfig[]; problems?: never }
  | { databases?: never; problems: string[] };

/** The checked content of a `.ts` file that exports `config`, or of a `.json` file. `now` decides which clock changes lie ahead. */
export async function loadConfig(path: string, now: Date): Promise<LoadedConfig> {
  try {
    return checkConfig(await readConfigFile(path), now);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    return {
      problems: [`${path}: is not readable (${reason}); must be a .ts file that exports config, or a .json file`],
    };
  }
}

async function readConfigFile(path: string): Promise<unknown> {
  if (extname(path) === '.json') return JSON.parse(await readFile(path, 'utf8'));
  const module: unknown = await import(pathToFileURL(resolve(path)).href);
  const exported = typeof module === 'object' && module !== null ? Reflect.get(module, 'config') : undefined;
  if (exported === undefined) throw new Error('it exports no config');
  return exported;
}

const outerSchema = z.strictObject(
  { databases: z.array(z.unknown(), 'must be a list of databases').min(1, 'must name at least one database') },
  'must be { databases: [...] }',
);

/** The checked form of what a config file holds. */
export function checkConfig(raw: unknown, now: Date): LoadedConfig {
  const outer = outerSchema.safeParse(raw);
  if (!outer.success) return { problems: outer.error.issues.map((issue) => describeConfigIssue(issue, raw)) };

  const problems: string[] = [];
  const databases: DatabaseConfig[] = [];
  for (const [index, part] of outer.data.databases.entries()) {
    const start = `databases[${index}]`;
    const parsed = databaseConfigSchema.safeParse(part);
    if (parsed.success) databases.push(parsed.data);
    else problems.push(...parsed.error.issues.map((issue) => describeConfigIssue(issue, part, start)));
    problems.push(
      ...takenName(part, outer.data.databases.slice(0, index), start),
      ...unevenSubnets(part, start),
      ...skippedTimes(part, start, now),
      ...otherAccount(part, start),
      ...exceededBudget(part, start),
      ...lockBeyondKeep(part, start),
      ...wrongTarget(part, start),
      ...tooManyPolls(part, start),
      ...wrongPurge(part, start),
    );
  }
  return problems.length > 0 ? { problems } : { databases };
}

// The rules below compare several settings. Each reads only the settings it needs and keeps silent when one of those is
// wrong in itself, so a mistake elsewhere does not hide it.

function takenName(part: unknown, earlier: readonly unknown[], start: string): string[] {
  const nameOf = (database: unknown) => databaseConfigSchema.shape.name.safeParse(field(database, 'name')).data;
  const name = nameOf(part);
  const first = earlier.findIndex((database) => nameOf(database) === name);
  if (name === undefined || first < 0) return [];
  return [`${start}.name: is "${name}"; must differ from the name of databases[${first}]`];
}

function unevenSubnets(part: unknown, start: string): string[] {
  const vpc = databaseConfigSchema.shape.vpc.safeParse(field(part, 'vpc'));
  if (!vpc.success) return [];
  const { availabilityZones, privateSubnetIds } = vpc.data;
  const problems =
    availabilityZones.length === privateSubnetIds.length
      ? []
      : [
          `${start}.vpc.privateSubnetIds: is a list of ${privateSubnetIds.length}; must have one subnet for each of the ${availabilityZones.length} availability zones`,
        ];
  const secret = databaseConfigSchema.shape.adminSecretArn.safeParse(field(part, 'adminSecretArn'));
  if (!secret.success) return problems;
  const { region } = placeOfDatabase({ adminSecretArn: secret.data });
  for (const [index, zone] of availabilityZones.entries()) {
    if (!zone.startsWith(region))
      problems.push(
        `${start}.vpc.availabilityZones[${index}]: is "${zone}"; must lie in ${region}, the region of adminSecretArn`,
      );
  }
  return problems;
}

function skippedTimes(part: unknown, start: string, now: Date): string[] {
  const schedules = databaseConfigSchema.shape.schedules.safeParse(field(part, 'schedules'));
  if (!schedules.success) return [];
  const { timeZone, ...jobs } = schedules.data;
  return Object.entries(jobs).flatMap(([job, schedule]) => {
    if (schedule === null || !('at' in schedule)) return [];
    const date = firstSkippedDate(schedule.at, timeZone, now);
    if (date === undefined) return [];
    return [
      `${start}.schedules.${job}.at: is "${schedule.at}"; must be a time that exists every day, and on ${date} clocks in ${timeZone} skip it, so the run would be left out`,
    ];
  });
}

/** A key of another account in a replica that names none, or names a third one: S3 would copy nothing, and say so nowhere. */
function otherAccount(part: unknown, start: string): string[] {
  const shape = databaseConfigSchema.shape;
  const replica = shape.replica.safeParse(field(part, 'replica')).data;
  const secret = shape.adminSecretArn.safeParse(field(part, 'adminSecretArn'));
  if (replica === undefined || !secret.success) return [];
  const own = placeOfDatabase({ adminSecretArn: secret.data }).account;
  const ofKey = replica.keyArn.split(':')[4] ?? '';
  const expected = replica.account ?? own;
  if (ofKey === expected) return [];
  const why =
    replica.account === undefined ? 'the account of adminSecretArn, as replica.account is missing' : 'replica.account';
  return [`${start}.replica.keyArn: is of account ${ofKey}; must be of ${expected}, ${why}`];
}

const budgetSchema = databaseConfigSchema
  .pick({ backup: true, restoreDrill: true, purge: true, health: true, migrate: true, bootstrap: true })
  .extend({ schedules: databaseConfigSchema.shape.schedules, budget: databaseConfigSchema.shape.connectionBudget });

function exceededBudget(part: unknown, start: string): string[] {
  const sections = ['backup', 'restoreDrill', 'purge', 'health', 'migrate', 'bootstrap', 'schedules'] as const;
  const parsed = budgetSchema.safeParse({
    ...Object.fromEntries(sections.map((section) => [section, field(part, section)])),
    budget: field(part, 'connectionBudget'),
  });
  if (!parsed.success) return [];
  const needed = connectionsNeeded(parsed.data);
  if (needed <= parsed.data.budget) return [];
  const sum = jobConnections(parsed.data).map(
    ({ job, runs, connectionsPerRun }) => `${job} ${runs} × ${connectionsPerRun}`,
  );
  return [
    `${start}.connectionBudget: is ${parsed.data.budget}; must be at least ${needed}, which the jobs may open (${sum.join(', ')})`,
  ];
}

const lockSchema = databaseConfigSchema
  .pick({ backupStore: true, expire: true })
  .extend({ schedules: databaseConfigSchema.shape.schedules.pick({ backup: true }).loose() });

function lockBeyondKeep(part: unknown, start: string): string[] {
  const sections = ['backupStore', 'expire', 'schedules'] as const;
  const parsed = lockSchema.safeParse(Object.fromEntries(sections.map((section) => [section, field(part, section)])));
  const lock = parsed.data?.backupStore.objectLock;
  if (!parsed.success || lock === undefined) return [];
  const { days, because } = shortestKeep(parsed.data);
  if (lock.days <= days) return [];
  return [
    `${start}.backupStore.objectLock.days: is ${lock.days}; must be at most ${days}, which is the shortest time that expire keeps a backup (${because}), or expired backups could not be deleted`,
  ];
}

function wrongTarget(part: unknown, start: string): string[] {
  const { data: drill } = drillSection.safeParse(field(part, 'restoreDrill'));
  if (drill?.target === undefined) return [];
  const { server, adminSecretArn } = databaseConfigSchema.shape;
  const { data: source } = server.shape.host.safeParse(field(field(part, 'server'), 'host'));
  const { data: secretArn } = adminSecretArn.safeParse(field(part, 'adminSecretArn'));
  const region = secretArn === undefined ? undefined : placeOfDatabase({ adminSecretArn: secretArn }).region;
  return targetProblems(drill.target, { host: source, adminSecretArn: secretArn, region }).map(
    (problem) => `${start}.restoreDrill.target.${problem}`,
  );
}

function tooManyPolls(part: unknown, start: string): string[] {
  const { data: migrate } = migrateSection.safeParse(field(part, 'migrate'));
  return migrate === undefined ? [] : pollProblems(migrate).map((problem) => `${start}.migrate.${problem}`);
}

function wrongPurge(part: unknown, start: string): string[] {
  const { data: purge } = purgeSection.safeParse(field(part, 'purge'));
  if (purge === undefined) return [];
  const { backupStore, adminSecretArn } = databaseConfigSchema.shape;
  const lockDays = backupStore.safeParse(field(part, 'backupStore')).data?.objectLock?.days;
  const secretArn = adminSecretArn.safeParse(field(part, 'adminSecretArn')).data;
  const region = secretArn === undefined ? undefined : placeOfDatabase({ adminSecretArn: secretArn }).region;
  return purgeProblems(purge, { lockDays, region }).map((problem) => `${start}.purge.${problem}`);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
