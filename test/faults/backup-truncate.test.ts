import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { recordedContext } from '../support/job-context.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { leftInBucket } from '../support/what-is-left.ts';

let aws: LocalAws;
let source: BackupSource;
let folder: string;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 10_000);
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-truncate-'));
  // pg_dump starts after the snapshot; here it waits until the test lets it take its locks.
  const waiting = `while [ -f ${folder}/hold ] && [ ! -f ${folder}/go ]; do sleep 0.02; done; rm -f ${folder}/go`;
  source.replaceProgram('pg_dump', `touch ${folder}/started; ${waiting}; exec "$REAL" "$@"`);
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await source.drop();
  await aws.stop();
});

/** Runs `change` in the gap between the snapshot and pg_dump's locks, `times` times, and lets pg_dump go on. */
async function inTheGap(times: number, change: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    while (!existsSync(join(folder, 'started'))) await sleep(10);
    rmSync(join(folder, 'started'));
    await change();
    if (time === times - 1) rmSync(join(folder, 'hold'));
    writeFileSync(join(folder, 'go'), '');
  }
}

async function refill(): Promise<void> {
  await source.fresh.query('truncate app.notes');
  await source.fresh.query("insert into app.notes select n, 'note' from generate_series(1, 1000) n");
}

describe('a TRUNCATE between the snapshot and the locks of pg_dump', () => {
  test('pg_dump alone reads the table as empty and calls it a success: what this guards against', async () => {
    const session = await source.fresh.client();
    await session.query('begin isolation level repeatable read read only');
    await session.query('select count(*) from app.readings');
    await refill();

    const { rows } = await session.query('select count(*)::int as notes from app.notes');
    await session.query('commit');

    expect(rows).toEqual([{ notes: 0 }]);
  });

  test('once: the snapshot is given up, the next one has every row', async () => {
    writeFileSync(join(folder, 'hold'), '');
    rmSync(join(folder, 'started'), { force: true });
    const context = recordedContext();

    const [result] = await Promise.all([source.backUp(context), inTheGap(1, refill)]);

    expect(result).toMatchObject({ tables: 2, rows: 11_000 });
    expect(context.events.filter(({ event }) => event === 'backup.snapshot_given_up')).toHaveLength(1);
  });

  test.each(['vacuum full app.notes', 'alter table app.notes alter column body type varchar(80)'])(
    'each time (%s): after three snapshots the backup fails, names the table and leaves nothing',
    async (change) => {
      writeFileSync(join(folder, 'hold'), '');
      rmSync(join(folder, 'started'), { force: true });
      const before = await leftInBucket();
      const backup = source.backUp().catch((error: unknown) => error);

      const failure = await Promise.race([
        backup,
        inTheGap(3, async () => {
          await source.fresh.query('alter table app.notes alter column body type text using body || $$$$');
          await source.fresh.query(change);
        }).then(async () => await backup),
      ]);

      expect(failure).toMatchObject({ code: 'backup.table_rewritten' });
      expect(String(failure)).toMatch(/1 table was truncated, rewritten or renamed .*"app"\."notes"/);
      expect(await leftInBucket()).toEqual(before);
    },
  );
});
