import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrateResultSchema } from '../../functions/migrate/contract.ts';
import { type OwnCluster, startOwnCluster } from '../database/own-cluster.ts';
import { createMigrateWorld, type MigrateWorld } from '../support/migrate-command.ts';

const ORDERS = {
  '0001_orders.up.sql':
    'create table public.orders (id bigint generated always as identity primary key, customer text not null);',
  '0001_orders.down.sql': 'drop table public.orders;',
  '0002_note.up.sql':
    'alter table public.orders add column note text;\ncreate index concurrently orders_note on public.orders (note);',
  '0002_note.down.sql': 'drop index concurrently public.orders_note;\nalter table public.orders drop column note;',
};

let cluster: OwnCluster;
let world: MigrateWorld;

beforeAll(async () => {
  cluster = await startOwnCluster();
});
beforeEach(async () => {
  world = await createMigrateWorld(cluster);
  world.writeFiles(ORDERS);
});
afterEach(async () => await world.close());
afterAll(async () => await cluster.stop());

const addRows = async (count: number) => {
  await world.client.query(
    `insert into public.orders (customer, note) select 'c', 'n' from generate_series(1, ${count})`,
  );
};

describe('npm run migrate', () => {
  test('status, up, status: tables without colours on stdout, what is done meanwhile on stderr', async () => {
    const before = await world.run(['status']);
    const up = await world.run(['up', '--requested-by', 'ana@example.com']);
    const after = await world.run(['status', '--exit-code']);

    expect(before).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('│ 0002_note   │ pending │ –') });
    expect(before.stdout).toContain('Now at 0, 2 pending.');
    expect(up).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Now at 2, 0 pending.\n') });
    expect(up.stderr).toMatch(
      new RegExp(
        `^up of "${world.dbname}" on .* as nightshift_migrate, TLS verify-full, asked for by ana@example.com\\n`,
      ),
    );
    expect(up.stderr).toContain('0001_orders: applied, 1 statement in ');
    expect(up.stderr).toMatch(/0002 up, statement 2, create index concurrently: runs alone \(pid \d+\)\n/);
    expect(after).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/0002_note {3}│ applied │ \d+ \w{3} \d{4}/),
    });
    expect(`${before.stdout}${up.stdout}${up.stderr}${after.stdout}`).not.toContain('\u001b');
    const { rows } = await world.client.query(
      "select distinct requested_by from nightshift.migration where kind = 'application'",
    );
    expect(rows).toEqual([{ requested_by: 'ana@example.com' }]);
  });

  test('status --exit-code with pending files: 1', async () => {
    expect(await world.run(['status', '--exit-code'])).toMatchObject({ exitCode: 1 });
  });

  test('up --dry-run: stdout is the exact SQL and nothing else, and nothing is changed', async () => {
    const end = await world.run(['up', '--dry-run']);

    expect(end.exitCode).toBe(0);
    expect(end.stdout).toBe(
      [
        `-- ${world.folder}/0001_orders.up.sql`,
        'begin;',
        ORDERS['0001_orders.up.sql'],
        'commit;',
        '',
        `-- ${world.folder}/0002_note.up.sql`,
        'begin;',
        'alter table public.orders add column note text;',
        'commit;',
        '-- alone, without a time limit: create index concurrently',
        'create index concurrently orders_note on public.orders (note);',
        '',
      ].join('\n'),
    );
    expect(await world.recorded()).toEqual([]);
  });

  test('up --to 1, and again: the second has nothing to do', async () => {
    const first = await world.run(['up', '--to', '1']);
    const second = await world.run(['up', '--to', '1']);

    expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Now at 1, 1 pending.') });
    expect(second).toMatchObject({ exitCode: 0, stdout: 'Nothing to apply.\nNow at 1, 1 pending.\n' });
  });

  test('down of a column with values: refused with their number until --confirm-loss, which says it first', async () => {
    await world.run(['up']);
    await addRows(1_204);

    const refused = await world.run(['down']);
    const planned = await world.run(['down', '--dry-run']);
    const recorded = await world.recorded();
    const confirmed = await world.run(['down', '--confirm-loss']);

    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain(
      'down drops column public.orders.note: 1,204 non-null values; nobody has said that this may be lost. Nothing was reverted.',
    );
    expect(refused.stderr).toContain('[migrate.loss_not_confirmed]');
    expect(planned.stderr).toContain('down drops column public.orders.note: 1,204 non-null values\n');
    expect(recorded).toEqual([1, 2]);
    expect(confirmed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Now at 1, 1 pending.') });
    expect(confirmed.stderr.indexOf('1,204 non-null values')).toBeLessThan(confirmed.stderr.indexOf('reverted'));
  });

  test('down of a column without a value: nothing is lost, and nothing need be confirmed', async () => {
    await world.run(['up']);
    await world.client.query("insert into public.orders (customer) values ('c')");

    expect(await world.run(['down'])).toMatchObject({ exitCode: 0 });
    expect(await world.recorded()).toEqual([1]);
  });

  test.each([
    ['status', []],
    ['up', ['--dry-run']],
    ['up', []],
    ['repair', []],
  ])('%s %j --json: stdout is the typed result', async (action, more) => {
    const end = await world.run([action, ...more, '--json']);

    expect(end.exitCode).toBe(0);
    expect(migrateResultSchema.parse(JSON.parse(end.stdout))).toMatchObject({ action });
  });

  test('baseline, then up: only what comes after it is run; a second baseline is refused', async () => {
    await world.client.query(`${ORDERS['0001_orders.up.sql']} alter table public.orders owner to nightshift_migrate`);

    const baseline = await world.run(['baseline', '--to', '1']);
    const up = await world.run(['up']);
    const again = await world.run(['baseline', '--to', '1']);

    expect(baseline).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('0001_orders.up.sql: marked as applied'),
    });
    expect(up.stdout).toContain('0002_note');
    expect(up.stdout).not.toContain('0001_orders');
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[migrate.not_empty]') });
  });

  test('repair: an invalid index that a broken try has left is removed, and up builds it', async () => {
    await world.run(['up', '--to', '1']);
    await addRowsBeforeNote();
    world.writeFiles({
      ...ORDERS,
      '0002_note.up.sql': 'select 1;\ncreate unique index concurrently orders_customer on public.orders (customer);',
      '0002_note.down.sql': 'drop index concurrently public.orders_customer;',
    });
    const failed = await world.run(['up']);
    // As a run that was killed in the middle would leave it: the row says half done, and the index is there, not valid.
    await world.client
      .query('create unique index concurrently orders_customer on public.orders (customer)')
      .catch(() => {});

    const planned = await world.run(['repair', '--dry-run']);
    const repaired = await world.run(['repair']);
    await world.client.query('delete from public.orders where id > 1');
    const up = await world.run(['up']);

    expect(failed).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('What it had left half done was removed'),
    });
    expect(planned.stdout).toContain('Would be changed:\n  drop index concurrently public.orders_customer\n');
    expect(repaired.stdout).toContain('Changed:\n  drop index concurrently public.orders_customer\n');
    expect(up).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Now at 2, 0 pending.') });
  });

  async function addRowsBeforeNote() {
    await world.client.query("insert into public.orders (customer) values ('same'), ('same')");
    await world.client.query('alter table public.orders owner to nightshift_migrate');
  }
});

describe('npm run migrate of what only looks', () => {
  test('lint: with the database silent on an index of an empty table; by the text alone an error with its place, exit code 1', async () => {
    world.writeFiles({ ...ORDERS, '0002_note.up.sql': 'create index orders_customer on public.orders (customer);' });
    await world.run(['up', '--to', '1']);

    const live = await world.run(['lint', '--json']);
    const alone = await world.run(['lint', '--format', 'github'], { DATABASE_URL: '' });

    expect(live.exitCode).toBe(0);
    expect(migrateResultSchema.parse(JSON.parse(live.stdout))).toMatchObject({ action: 'lint', errors: 0 });
    expect(alone).toMatchObject({ exitCode: 1, stderr: '' });
    expect(alone.stdout).toContain(`::error file=${world.folder}/0002_note.up.sql,line=1,`);
  });

  test('plan, then up with its hash; the same hash again: nothing is left of that plan, and nothing is run', async () => {
    const planned = await world.run(['plan', '--no-rehearse', '--json']);
    const { hash } = JSON.parse(planned.stdout) as { hash: string };
    const readable = await world.run(['plan', '--no-rehearse']);

    const up = await world.run(['up', '--to', '1', '--plan', hash]);
    const bound = await world.run(['up', '--plan', hash]);
    const again = await world.run(['up', '--plan', hash]);

    expect(planned.exitCode).toBe(1);
    expect(readable.stdout).toMatch(/^NEEDS APPROVAL: /);
    expect(readable.stdout).toContain('approve (backup): ');
    expect(readable.stdout).toContain(`npm run migrate -- up --plan ${hash}`);
    // Fewer files than planned is another plan.
    expect(up).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[migrate.plan_moved]') });
    expect(bound.exitCode).toBe(0);
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Nothing to apply') });
  });

  test('rehearse: the locks of each statement; verify: the certificates; status --drift: what was changed by hand', async () => {
    await world.run(['up', '--to', '1']);

    const rehearsed = await world.run(['rehearse']);
    await world.run(['up']);
    const verified = await world.run(['verify']);
    await world.client.query('alter table public.orders add column by_hand int');
    const drifted = await world.run(['status', '--drift', '--exit-code']);

    expect(rehearsed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('AccessExclusiveLock') });
    expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/0002_note\.up\.sql\s+│ certified/) });
    expect(drifted).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/extra: column .*"by_hand"/) });
  });
});
