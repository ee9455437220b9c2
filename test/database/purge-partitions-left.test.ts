// What the result, the record and the certificate of drop_partition say of partitions that stay.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Certificate } from '../../functions/purge/certificate/certificate.ts';
import { createPurgeWorld, type PurgeWorld } from './purge-world.ts';

let world: PurgeWorld;
beforeAll(async () => {
  world = await createPurgeWorld();
});
beforeEach(async () => {
  await world.reset();
  // Ten rows in each of four years, of which three are past retention.
  await world.fresh.query(`
    create table app.measure (id int, at timestamptz not null) partition by range (at);
    create table app.m2020 partition of app.measure for values from ('2020-01-01Z') to ('2021-01-01Z');
    create table app.m2021 partition of app.measure for values from ('2021-01-01Z') to ('2022-01-01Z');
    create table app.m2022 partition of app.measure for values from ('2022-01-01Z') to ('2023-01-01Z');
    create table app.m2099 partition of app.measure for values from ('2023-01-01Z') to ('2100-01-01Z');
    insert into app.measure
      select n, make_timestamptz(y, 6, 1, 0, 0, 0, 'UTC') from generate_series(2020, 2023) as y, generate_series(1, 10) as n;
    alter table app.measure owner to ${world.role.user};
    alter table app.m2020 owner to ${world.role.user};
    alter table app.m2021 owner to ${world.role.user};
    alter table app.m2022 owner to ${world.role.user};
    alter table app.m2099 owner to ${world.role.user}`);
  await world.addPolicy({
    name: 'measures',
    table: 'measure',
    column: 'at',
    retention: '1 year',
    action: 'drop_partition',
    keepPartitions: 1,
  });
});
afterAll(async () => await world.close());

const certificateOf = async (key: string | null | undefined) =>
  JSON.parse((await world.store.getText(key ?? '')) ?? '{}') as Certificate;

describe('drop_partition by runPurge', () => {
  test('nothing stays: complete', async () => {
    const { policy } = await world.purge();

    expect(policy).toMatchObject({ state: 'finished', rowsDone: 30, rowsLeft: 0 });
    expect((await certificateOf(policy?.certificateKey)).outcome).toBe('complete');
  });

  test('one is held: its rows are left and held, in result, record and certificate, which is not called complete', async () => {
    await world.addHold(null, 'm2020');

    const plan = await world.purge({ event: { dryRun: true } });
    const { policy } = await world.purge();

    expect(plan.policy).toMatchObject({ rowsLeft: 30, skipped: { held: 10 } });
    expect(policy).toMatchObject({
      state: 'finished',
      rowsDone: 20,
      rowsLeft: 10,
      skipped: { held: 10, referenced: 0, other: 0 },
    });
    expect(policy?.partitions).toContainEqual(expect.objectContaining({ table: 'app.m2020', state: 'kept', rows: 10 }));
    expect(await world.readRuns()).toMatchObject([{ state: 'finished', rows_done: 20, rows_held: 10, rows_left: 10 }]);
    expect(await certificateOf(policy?.certificateKey)).toMatchObject({
      outcome: 'kept back',
      rows: { done: 20, left: 10, held: 10 },
    });
  });

  test('one is needed by a view: its rows are left, and somebody has to look', async () => {
    await world.fresh.query('create view app.old as select * from app.m2021');

    const { policy } = await world.purge();

    expect(policy).toMatchObject({ rowsDone: 20, rowsLeft: 10, skipped: { held: 0, referenced: 0, other: 10 } });
    expect((await certificateOf(policy?.certificateKey)).outcome).toBe('incomplete');
  });

  test('a hold names a table that is not there: refused, as for rows', async () => {
    await world.fresh.query('create table app.paper (id bigint primary key)');
    await world.addHold('1', 'paper');
    await world.fresh.query('drop table app.paper');

    await expect(world.purge()).rejects.toMatchObject({ code: 'purge.refused' });
    await expect(world.purge({ event: { dryRun: true } })).rejects.toMatchObject({ code: 'purge.refused' });
    expect((await world.fresh.query('select from app.measure')).rowCount).toBe(40);
  });
});
