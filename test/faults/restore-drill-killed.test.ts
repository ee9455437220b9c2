// A restore drill whose process is killed with -9 at any moment: the next one sweeps what it left, and production is as it was.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../functions/shared/clock.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { createDrillRole, type DrillRole } from '../support/drill-role.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { rounds } from '../support/test-size.ts';
import { verify } from '../support/verify-job.ts';
import { waitForRow } from '../support/what-is-left.ts';

const script = fileURLToPath(new URL('../support/drill-child.ts', import.meta.url));
/** Of what production must still hold, whatever a drill does. */
const CONTENTS =
  "select (select count(*) from app.readings) as readings, (select sum(hashtext(n::text)) from app.notes n) as notes, (select count(*) from pg_class where relnamespace = 'app'::regnamespace) as relations";
const NO_SESSION = 'select from pg_stat_activity where usename = $1 having count(*) = 0';

let aws: LocalAws;
let source: BackupSource;
let drill: DrillRole;
let backupId: string;
/** How long a drill takes in a process of its own, from its start to its end. */
let wholeMs: number;
let before: unknown;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 100_000);
  drill = await createDrillRole(aws, source);
  await source.fresh.query('create index on app.readings (value); create index on app.readings (id, value)');
  backupId = (await source.backUp()).backupId;
  await verify({ database: 'shop', clients: source.clients }, { backupId });
  before = (await source.fresh.query(CONTENTS)).rows;
  const from = performance.now();
  expect(await startChild().gone).toEqual({ code: 0, signal: null });
  wholeMs = performance.now() - from;
});

afterAll(async () => {
  await drill.drop();
  await source.drop();
  await aws.stop();
});

function startChild() {
  const job = { settings: drill.settings, event: { job: 'restore-drill', backupId } };
  const child = spawn(process.execPath, [script, JSON.stringify(job)], { stdio: 'ignore' });
  const gone = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  return { kill: () => child.kill('SIGKILL'), gone };
}

describe('a restore drill whose process is killed with -9', () => {
  test.each(Array.from({ length: rounds }, (_, moment) => moment))(
    'at any moment (moment %i): after the next drill there is no scratch database, and production is as it was',
    async (moment) => {
      const child = startChild();
      // Spread over the whole run, with some chance in each part of it.
      await sleep((wholeMs * (moment + Math.random())) / rounds);
      child.kill();
      await child.gone;
      // The server ends a CREATE DATABASE whose client has gone; a drill that swept before that would not see it.
      await waitForRow(source.fresh, NO_SESSION, 10_000, drill.role);
      const left = await drill.scratchDatabases();
      // Its lease, and the hour of a database that has none yet, are over tomorrow.
      const tomorrow = { ...systemClock, now: () => new Date(Date.now() + 86_400_000) };

      const { outcome, swept, drills } = await drill.drill({ clock: tomorrow }, { backupId });

      expect(outcome).toBe('ok');
      expect(swept).toEqual(left);
      expect(drills).toMatchObject([{ compared: { tables: 2, rows: 101_000 } }]);
      expect(await drill.scratchDatabases()).toEqual([]);
      expect((await source.fresh.query(CONTENTS)).rows).toEqual(before);
    },
  );
});
