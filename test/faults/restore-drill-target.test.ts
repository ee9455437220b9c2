// A restore drill on a server of its own: what the server of the backup cannot prove, owners and grants, is proven there.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseDrillRecord } from '../../functions/shared/drill-record.ts';
import { startThrowawayCluster, type ThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { type StoredBackup, storedBackup } from '../support/changed-backup.ts';
import { createDrillRole, type DrillRole } from '../support/drill-role.ts';
import { withDefinition, withoutEntry, withToc } from '../support/edit-toc.ts';
import { recordedContext } from '../support/job-context.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { verify } from '../support/verify-job.ts';

const ROLES_OF_SHOP = "select rolname from pg_roles where rolname like 'shop\\_%' order by 1";

let aws: LocalAws;
let source: BackupSource;
let drill: DrillRole;
let backup: StoredBackup;
let backupId: string;
let target: ThrowawayCluster;
let atTarget: Client;
let targetSettings: Partial<DrillRole['settings']>;
/** Roles belong to the whole server, which other test files use, too. */
const suffix = randomBytes(4).toString('hex');
const owner = `shop_owner_${suffix}`;
const reader = `shop_reader_${suffix}`;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 20_000);
  drill = await createDrillRole(aws, source);
  const { query } = source.fresh;
  await query(`create role "${owner}"; create role "${reader}"`);
  await query(`alter schema app owner to "${owner}"; alter table app.notes owner to "${owner}"`);
  await query(`alter table app.readings owner to "${owner}"`);
  await query(`grant usage on schema app to "${reader}"; grant select on app.notes to "${reader}"`);
  await query(`alter default privileges for role "${owner}" in schema app grant select on tables to "${reader}"`);
  backupId = (await source.backUp()).backupId;
  backup = storedBackup(aws, backupId);
  await verify({ database: 'shop', clients: source.clients }, { backupId });

  target = await startThrowawayCluster();
  const { host, port, superuser } = target;
  atTarget = new Client({
    host,
    port,
    ...superuser,
    database: 'postgres',
    ssl: { ca: readFileSync(target.caFile, 'utf8'), host },
  });
  await atTarget.connect();
  targetSettings = {
    DATABASE_CA_FILE: target.caFile,
    DRILL_TARGET_HOST: host,
    DRILL_TARGET_PORT: port,
    DRILL_TARGET_SECRET_ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:target-${suffix}-abcdef`,
  };
});

afterEach(async () => {
  expect(await drill.scratchDatabases()).toEqual([]);
  const { rows } = await atTarget.query("select datname from pg_database where datname like 'nightshift%'");
  expect(rows).toEqual([]);
});

afterAll(async () => {
  await atTarget.end();
  await target.stop();
  await drill.drop();
  const { query } = source.fresh;
  await query(`drop owned by "${reader}"; drop schema app cascade; drop owned by "${owner}"`);
  await query(`drop role "${reader}"; drop role "${owner}"`);
  await source.drop();
  await aws.stop();
});

/** A drill on the target, as the login that its secret names. */
async function drillThere(login: { username: string; password: string }) {
  const { DRILL_TARGET_SECRET_ARN: secretArn = '' } = targetSettings;
  aws.secrets.setSecret(secretArn, JSON.stringify(login));
  const context = recordedContext();
  const settings = { ...drill.settings, ...targetSettings };
  const answer = await drill.drill({ ...context, settings }, { backupId }).then(
    (result) => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  );
  const key = backup.keys.drilled(context.runId);
  const record = parseDrillRecord(key, readFileSync(backup.pathOf(key), 'utf8'));
  return { ...answer, record };
}

const superuser = () => ({ username: target.superuser.user, password: target.superuser.password });

/** As the master of RDS: no superuser, but it may make databases and roles. */
async function administrator() {
  const login = { username: 'master', password: randomBytes(12).toString('hex') };
  await atTarget.query(
    `drop role if exists master; create role master login createdb createrole password '${login.password}'`,
  );
  return login;
}

describe('a restore drill on a server of its own', () => {
  test.each([
    ['a superuser', async () => superuser()],
    ['an administrator as of RDS', administrator],
  ])('as %s: the roles are made, and owners, grants and default privileges are proven', async (_, login) => {
    await atTarget.query(`drop role if exists "${owner}", "${reader}"`);

    const { result, error, record } = await drillThere(await login());

    expect([error, record.problem, record.differences]).toEqual([undefined, null, []]);
    expect(result).toMatchObject({ outcome: 'ok' });
    expect(record).toMatchObject({ outcome: 'ok', target: { kind: 'drill target' }, differences: [] });
    expect(record.notProven.filter((words) => /ownership|grants/.test(words))).toEqual([]);
    const made = record.findings.filter(({ problem }) => problem.includes('it was made there, without login'));
    expect(made.map(({ what }) => what)).toEqual(expect.arrayContaining([`role "${owner}"`, `role "${reader}"`]));
    expect((await atTarget.query(ROLES_OF_SHOP)).rows).toEqual([{ rolname: owner }, { rolname: reader }]);
    expect(
      (await atTarget.query('select from pg_roles where rolname like $1 and rolcanlogin', ['shop\\_%'])).rowCount,
    ).toBe(0);
  });

  test('a role of the backup is a superuser there and the administrator is none: unproven, and that role is named', async () => {
    await atTarget.query(`drop role if exists "${owner}"; create role "${owner}" superuser`);

    const { error, record } = await drillThere(await administrator());
    await atTarget.query(`alter role "${owner}" nosuperuser`);

    expect(error).toMatchObject({ code: 'drill.unproven' });
    expect(record.problem).toMatch(new RegExp(`; this server lacks role "${owner}" for its administrator$`));
    expect(record.findings).toContainEqual({
      what: `role "${owner}" for its administrator`,
      problem: expect.stringMatching(/^it is a superuser of the drill target/),
    });
  });

  test('the archive does not restore on a server on which roles had to be made: that is no excuse, it has failed', async () => {
    await atTarget.query(`drop role if exists "${owner}", "${reader}"`);
    await withToc(backup, withDefinition('TABLE', 'body text', 'body no_such_type'), async () => {
      const { error, record } = await drillThere(superuser());

      expect(error).toMatchObject({ code: 'drill.restore_failed' });
      expect(record).toMatchObject({ outcome: 'failed' });
    });
  });

  test('the server of the backup proves no owner: what is not proven there is told, and here it is not', async () => {
    const there = await drillThere(superuser());
    const context = recordedContext();
    await drill.drill(context, { backupId });
    const here = parseDrillRecord('here', readFileSync(backup.pathOf(backup.keys.drilled(context.runId)), 'utf8'));

    expect(here.notProven).toEqual(expect.arrayContaining([expect.stringMatching(/^ownership and grants/)]));
    expect(there.record.compared.definitions).toBeGreaterThan(here.compared.definitions);
  });

  test('the grants of a table are lost from the table of contents: named as privileges', async () => {
    await withToc(backup, withoutEntry('ACL', 'TABLE notes'), async () => {
      const { error, record } = await drillThere(superuser());

      expect(error).toMatchObject({ code: 'drill.different' });
      expect(record).toMatchObject({ outcome: 'different' });
      expect(record.differences.map(({ what }) => what)).toEqual(['privileges of table "app"."notes"']);
    });
  });

  test('a grant is of another privilege: named as privileges', async () => {
    const grant = (privilege: string) => `GRANT ${privilege} ON TABLE app.notes TO ${reader}`;
    await withToc(backup, withDefinition('ACL', grant('SELECT'), grant('UPDATE')), async () => {
      const { error, record } = await drillThere(superuser());

      expect(error).toMatchObject({ code: 'drill.different' });
      expect(record.differences.map(({ what }) => what)).toEqual(['privileges of table "app"."notes"']);
    });
  });
});
