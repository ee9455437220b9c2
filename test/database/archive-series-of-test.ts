// An archive of its own for each test of a file: two tables, batches of them, and what is done at the end of a run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { archiveManifestSchema } from '../../functions/purge/archive/archive-manifest.ts';
import type { ArchiveSeries } from '../../functions/purge/archive/archive-series.ts';
import { checkArchive } from '../../functions/purge/archive/check-archive.ts';
import { emptyOrphans } from '../../functions/purge/archive/empty-orphans.ts';
import { writeArchiveManifest } from '../../functions/purge/archive/write-archive-manifest.ts';
import { purgeKeys } from '../../functions/shared/backup-layout.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { type ArchiveWorld, createArchiveWorld } from './archive-world.ts';

/** Sets everything up before and takes it away after the tests of the file. */
export function useArchiveSeries() {
  let aws: LocalAws;
  let world: ArchiveWorld;
  let store: ObjectStore;
  /** One of its own for each test. */
  let series: ArchiveSeries;
  let keys: ReturnType<typeof purgeKeys>;
  let turn = 0;

  beforeAll(async () => {
    aws = await startLocalAws();
    world = await createArchiveWorld();
    store = createObjectStore(BUCKET);
  });
  beforeEach(async () => {
    aws.setFault(undefined);
    turn += 1;
    series = { database: 'shop', policy: 'events', seriesId: String(turn) };
    keys = purgeKeys('shop', 'events', String(turn));
    await world.reset();
    await world.fresh.query(`
      create table app.event (id int primary key, note text, twice int generated always as (id * 2) stored);
      insert into app.event (id, note) select n, 'note ' || n from generate_series(1, 30) n;
      create table app.item (id int);
      insert into app.item values (1), (2)`);
  });
  afterAll(async () => {
    await world.close();
    await aws.stop();
  });

  const path = (key: string) => join(aws.bucketFolder, key);
  const keyOf = (number: number, table = 'event') => keys.archivedRows('app', table, number);
  const batch = async (where: string, table = 'event') => await world.batch({ where, table, series });
  const write = async () =>
    await world.database.withSession(async (session) => await writeArchiveManifest(session, { series, store }));
  const empty = async () =>
    await world.database.withSession(async (session) => await emptyOrphans(session, { series, store }));
  const check = async () =>
    await checkArchive(store, keys.archiveManifest, { clock: systemClock, signal: new AbortController().signal });
  const manifestText = () => readFileSync(path(keys.archiveManifest), 'utf8');
  const manifest = () => archiveManifestSchema.parse(JSON.parse(manifestText()));

  async function leaveOrphan(where: string, table = 'event'): Promise<void> {
    const failing = world.batch({
      where,
      table,
      series,
      afterwards: async () => await Promise.reject(new Error('end')),
    });
    await expect(failing).rejects.toThrow('end');
  }

  /** Counts the puts, and fails those that the fault says. */
  function countPuts(fault: (put: number) => 'drop-answer' | undefined = () => undefined): { puts: number } {
    const seen = { puts: 0 };
    aws.setFault(({ operation }) => {
      if (operation !== 'PutObject') return undefined;
      seen.puts += 1;
      return fault(seen.puts);
    });
    return seen;
  }

  return {
    get aws() {
      return aws;
    },
    get world() {
      return world;
    },
    get store() {
      return store;
    },
    get series() {
      return series;
    },
    get keys() {
      return keys;
    },
    path,
    keyOf,
    batch,
    write,
    empty,
    check,
    manifestText,
    manifest,
    leaveOrphan,
    countPuts,
  };
}
