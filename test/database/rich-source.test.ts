// The control of every proof of the archive: stock pg_dump and pg_restore carry the rich source over without a difference,
// so what another archive changes is that archive's doing.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { compareByDump } from '../support/rich-source/compare-by-dump.ts';
import { loadRichSource, type RichSource, richSourceSize } from '../support/rich-source/load-rich-source.ts';
import { createRestoredDatabase, stockClient } from '../support/rich-source/restored-database.ts';
import { startWriter } from '../support/rich-source/start-writer.ts';

const run = promisify(execFile);

describe('the rich source', { timeout: 600_000 }, () => {
  let fresh: FreshDatabase;
  let rich: RichSource;
  let holder: Client;
  let snapshot: string;
  let folder: string;

  beforeAll(async () => {
    fresh = await createFreshDatabase();
    rich = await loadRichSource(fresh);
    folder = mkdtempSync(join(tmpdir(), 'nightshift-test-rich-'));
    holder = await fresh.client();
    await holder.query('begin transaction isolation level repeatable read, read only');
    const { rows } = await holder.query<{ id: string }>('select pg_export_snapshot() as id');
    snapshot = rows[0]?.id ?? '';
    const writer = startWriter(await fresh.client());
    const archive = ['--format=directory', '--jobs=2', '--compress=1', `--snapshot=${snapshot}`];
    await run(
      join(inject('cluster').clientDirectory, 'pg_dump'),
      [...archive, `--file=${folder}/archive`, fresh.name],
      {
        env: stockClient().environment,
      },
    );
    expect(await writer.stop()).toBeGreaterThan(5);
  }, 600_000);

  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await fresh.drop();
    const other = await createFreshDatabase();
    await rich.dropRoles({ query: other.query });
    await other.drop();
  });

  // Rows of different widths keep their order only where COPY fills a table of its own transaction (it then skips the map
  // of free space): with --jobs pg_restore truncates first, serially --single-transaction does it.
  test.each([['--jobs=2'], ['--single-transaction']])(
    'pg_dump -Fd while a writer works, pg_restore %s: the plain dumps of the snapshot and of the restored are equal',
    async (option) => {
      const restored = await createRestoredDatabase(rich);
      const { clientDirectory, environment } = stockClient();

      try {
        await run(
          join(clientDirectory, 'pg_restore'),
          ['--exit-on-error', option, `--dbname=${restored.name}`, `${folder}/archive`],
          { env: environment },
        );

        const source = { ...stockClient(), database: fresh.name, snapshot };
        expect(await compareByDump(source, { ...stockClient(), database: restored.name })).toBeUndefined();
      } finally {
        await restored.drop();
      }
    },
  );

  test('the source goes on: without the snapshot its dump differs from that of the snapshot', async () => {
    const now = { ...stockClient(), database: fresh.name };

    expect(await compareByDump({ ...now, snapshot }, now)).toBeDefined();
  });

  test('one of everything is there: rows, large objects, kinds of relations', async () => {
    const { rows: counts } = await holder.query<Record<string, unknown>>(
      `select (select count(*) from app.big) as big, (select count(*) from pg_largeobject_metadata) as large_objects,
        (select string_agg(distinct relkind::text, '' order by relkind::text) from pg_class where relnamespace = 'app'::regnamespace) as kinds,
        (select count(*) from only public.rich_setting where not built_in) as settings,
        (select max(length(t)) from app.toasted) as longest`,
    );

    expect(counts[0]).toEqual({
      big: String(richSourceSize.rows - Math.floor(richSourceSize.rows / 11)),
      large_objects: String(richSourceSize.largeObjects + 2),
      kinds: 'IScfimprv',
      settings: '3',
      longest: richSourceSize.valueBytes,
    });
  });
});
