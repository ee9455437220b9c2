// Random tables, rows, policies and holds: after a purge the database is what a plain model in memory says, and so are the counts
// of the result, of the records and of the certificate.
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Certificate } from '../../../functions/purge/certificate/certificate.ts';
import type { PolicyResult } from '../../../functions/purge/contract.ts';
import { quoteIdentifier } from '../../../functions/shared/quote-identifier.ts';
import { createPurgeWorld, type PurgeWorld } from '../../database/purge-world.ts';
import { rounds } from '../../support/test-size.ts';
import { applyPolicy, type ModelOutcome, type ModelRow } from './purge-model.ts';
import { insertStatements, type RandomWorld, randomWorld, ruleStatements, schemaStatements } from './random-world.ts';

/** Schemas for each seed: 2 in the short size. */
const SCHEMAS = Math.max(4, rounds * 2);
const SEEDS = [20_261_126, Number(process.env['NIGHTSHIFT_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))];

/** Puts the rows that belong to the cutoff there, at the beginning of the run of a policy, in whose record the cutoff stands. */
const EDGES = `
  create or replace function public.place_edges() returns trigger language plpgsql security definer as $$
  begin
    execute format(
      'update %I.%I set at = case
        when pg_typeof(at) = ''date''::regtype then (($1 at time zone ''utc'')::date + edge)::timestamp
        else ($1 at time zone ''utc'') + edge * interval ''1 microsecond''
      end where edge is not null', new.schema_name, new.table_name) using new.cutoff;
    return null;
  end
  $$;
  create or replace trigger place_edges after insert on nightshift.purge_run for each row execute function public.place_edges()`;

describe('runPurge', () => {
  let world: PurgeWorld;
  let exact = 0;
  let policies = 0;
  beforeAll(async () => {
    world = await createPurgeWorld();
    await world.fresh.query("set timezone = 'UTC'");
    await world.fresh.query(EDGES);
  });
  afterAll(async () => await world.close());

  test.each(SEEDS)(
    'random tables, rows, policies and holds (seed %i): what is left is what the model says',
    { timeout: 600_000 },
    async (seed) => {
      const before = policies;
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (pick) => await purgeAndCompare(randomWorld(pick))),
        { seed, numRuns: SCHEMAS, endOnFailure: process.env['NIGHTSHIFT_SHRINK'] === undefined },
      );
      expect(policies - before).toBeGreaterThanOrEqual(SCHEMAS);
    },
  );

  test('the model leaves hardly anything open: nearly every policy has exactly one right outcome', () => {
    expect(policies).toBeGreaterThanOrEqual(SCHEMAS);
    expect(exact / policies).toBeGreaterThan(0.9);
  });

  async function purgeAndCompare(random: RandomWorld): Promise<void> {
    await world.reset();
    await world.fresh.query('drop schema app cascade; create schema app');
    for (const sql of [
      ...schemaStatements(random, world.role.user),
      ...insertStatements(random),
      ...ruleStatements(random),
    ])
      await world.fresh.query(sql);

    const { result } = await world.purge({ batchRows: 50 });

    expect(result.complete).toBe(true);
    expect(result.policies.map(({ policy }) => policy).toSorted()).toEqual(
      random.policies.map((one) => one.name).toSorted(),
    );
    for (const told of result.policies) {
      const policy = random.policies.find((one) => one.name === told.policy);
      if (policy === undefined) throw new RangeError(`nobody asked for ${told.policy}`);
      const outcome = applyPolicy(random, policy);
      policies += 1;
      // Rows that may only go together with others go when one batch happens to have all of them.
      if (outcome.onlyTogether.size > 0) return;
      exact += 1;
      expectCounts(told, outcome);
      await expectRecords(told);
    }
    expect(await readRows(random)).toEqual(expectedRows(random));
  }

  function expectCounts(told: PolicyResult, outcome: ModelOutcome): void {
    const { done, held, referenced, deleted, unlinked } = outcome;
    expect(told).toMatchObject({
      rowsDone: done,
      rowsLeft: held + referenced,
      skipped: { held, referenced, other: 0 },
    });
    const tables = new Set([...deleted.keys(), ...unlinked.keys()]);
    const children = new Map(told.children.map((child) => [child.table, child]));
    expect([...children.keys()].filter((label) => !tables.has(label.slice('app.'.length)))).toEqual([]);
    for (const child of tables) {
      const counts = children.get(`app.${child}`) ?? { deleted: 0, changed: 0 };
      expect([child, counts.deleted]).toEqual([child, deleted.get(child) ?? 0]);
      // Twice unlinked in one batch is changed once; unlinked and then deleted by a later batch is both.
      expect(counts.changed).toBeLessThanOrEqual(unlinked.get(child) ?? 0);
      if (!deleted.has(child) && (unlinked.get(child) ?? 0) > 0) expect(counts.changed).toBeGreaterThan(0);
    }
  }

  /** What is written down, and certified, is what the result says. */
  async function expectRecords(told: PolicyResult): Promise<void> {
    const { rows } = await world.fresh.query(
      `select state, rows_done::int, rows_held::int, rows_referenced::int, rows_left::int, rows_by_table
        from nightshift.purge_run where policy = $1`,
      [told.policy],
    );
    expect(rows).toEqual([
      {
        state: 'finished',
        rows_done: told.rowsDone,
        rows_held: told.skipped.held,
        rows_referenced: told.skipped.referenced,
        rows_left: told.rowsLeft,
        rows_by_table: Object.fromEntries(
          told.children.map(({ table, deleted, changed }) => [table, { deleted, changed }]),
        ),
      },
    ]);
    const certificate = JSON.parse((await world.store.getText(told.certificateKey ?? '')) ?? '{}') as Certificate;
    expect(certificate).toMatchObject({
      rows: { done: told.rowsDone, left: told.rowsLeft, ...told.skipped },
      children: told.children,
      outcome: told.rowsLeft === 0 ? 'complete' : 'kept back',
    });
    const archived = told.rowsDone + told.children.reduce((sum, { deleted }) => sum + deleted, 0);
    if (certificate.archive !== null) expect(certificate.archive.rows).toBe(archived);
  }

  async function readRows(random: RandomWorld): Promise<unknown[]> {
    const all: unknown[] = [];
    for (const { name, links } of random.tables) {
      const refs = links.map((link) => `, ${quoteIdentifier(`${link.name}_id`)}::int as "${link.name}"`).join('');
      const { rows } = await world.fresh.query<Record<string, unknown>>(
        `select rid::int, kind, secret, "Marker" is not null as anonymised, tableoid::regclass::text like '%heir%' as heir${refs}
          from app.${quoteIdentifier(name)} order by rid`,
      );
      all.push(...rows.map((row) => ({ table: name, ...row })));
    }
    return all;
  }

  function expectedRows(random: RandomWorld): unknown[] {
    const line = (row: ModelRow) => ({
      table: row.table,
      rid: row.rid,
      kind: row.kind,
      secret: row.isAnonymised ? `gone ${row.rid}` : `secret ${row.rid}`,
      anonymised: row.isAnonymised,
      heir: row.isHeir,
      ...Object.fromEntries(
        (random.tables.find(({ name }) => name === row.table)?.links ?? []).map((link) => [
          link.name,
          row.refs.get(link.name) ?? null,
        ]),
      ),
    });
    const rows = [...random.rows.values()].toSorted((one, other) => one.rid - other.rid).map(line);
    return random.tables.flatMap(({ name }) => rows.filter(({ table }) => table === name));
  }
});
