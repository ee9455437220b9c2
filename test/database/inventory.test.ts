import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../functions/shared/database.ts';
import { type Inventory, OWNERSHIP_KINDS } from '../../functions/shared/inventory.ts';
import { readInventory } from '../../functions/shared/read-inventory.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { loadRichSource, type RichSource } from '../support/rich-source/load-rich-source.ts';
import { createRestoredDatabase, stockClient } from '../support/rich-source/restored-database.ts';

const run = promisify(execFile);

/** Only definitions are looked at here. */
const SMALL = { rows: 300, largeObjects: 12, valueBytes: 1_000 };

async function inventoryOf(database: Database): Promise<Inventory> {
  return await database.withSession(async (session) => {
    await session.query('begin isolation level repeatable read read only');
    const inventory = await readInventory(session, { lockTimeoutMs: 0, statementTimeoutMs: 0 });
    await session.query('rollback');
    return inventory;
  });
}

let source: FreshDatabase;
let rich: RichSource;
let folder: string;

beforeAll(async () => {
  source = await createFreshDatabase();
  rich = await loadRichSource(source, SMALL);
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-inventory-'));
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await source.drop();
  const other = await createFreshDatabase();
  await rich.dropRoles({ query: other.query });
  await other.drop();
});

describe('readInventory', () => {
  test('rich', async () => {
    const from = performance.now();
    const inventory = await inventoryOf(source.database('backup'));
    console.log(
      performance.now() - from,
      inventory.entries?.length,
      inventory.problem,
      Object.fromEntries(
        Object.entries(Object.groupBy(inventory.entries ?? [], ([k]) => k)).map(([k, v]) => [k, v?.length]),
      ),
    );
    const { clientDirectory, environment } = stockClient();
    const file = join(folder, 'a');
    await run(join(clientDirectory, 'pg_dump'), ['-Fd', `--file=${file}`, source.name], { env: environment });
    const restored = await createRestoredDatabase(rich);
    await run(join(clientDirectory, 'pg_restore'), ['--exit-on-error', `--dbname=${restored.name}`, file], {
      env: environment,
    });
    const after = await inventoryOf(source.database('restore-drill').inDatabase(restored.name));
    const a = new Map(inventory.entries?.map(([k, i, d]) => [`${k} ${i}`, d]));
    const b = new Map(after.entries?.map(([k, i, d]) => [`${k} ${i}`, d]));
    console.log(
      [...a].filter(([k, d]) => b.get(k) !== d).map(([k]) => `${k} ${b.has(k)}`),
      [...b].filter(([k]) => !a.has(k)),
    );
    expect(OWNERSHIP_KINDS.size).toBe(3);
    await restored.drop();
  });
});
