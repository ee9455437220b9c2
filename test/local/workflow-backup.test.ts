// The deployed workflow with the real functions, bundled as deployed, against a real PostgreSQL and the local S3.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readWorkflows } from '../../local/workflow/read-workflow.ts';
import { sampleDatabase, synthesize, templateOf } from '../infra/synthesized.ts';
import { type BackupWorkflow, openBackupWorkflow } from '../support/backup-workflow.ts';

const LONG_MS = 120_000;
/** Eight tables, each of a little more than 32 MiB: that makes two ranges and two groups of each. */
const TABLES = 8;
const BLOCKS_OF_TABLE = 4_300;
/** One of the tables, for the tests that do not need all. */
const ONE_TABLE = { INCLUDE_TABLES: '["big.part_1"]' };

let workflow: BackupWorkflow;

beforeAll(async () => {
  workflow = await openBackupWorkflow();
  await workflow.query('create schema big');
  for (let table = 1; table <= TABLES; table += 1) {
    // One row in a block of 8 KiB: much to read through, little to copy.
    await workflow.query(`create unlogged table big.part_${table} with (fillfactor = 10) as
      select n, repeat(md5(n::text), 28) as filler from generate_series(1, ${BLOCKS_OF_TABLE}) n`);
  }
  await workflow.query('grant usage on schema big to public');
}, LONG_MS);

afterAll(async () => {
  await workflow?.close();
});

/** The claims of a scheduled time, and the marks of failed attempts. */
function claimsOf(scheduled: string): string[] {
  return readdirSync(workflow.pathOf('claims')).filter((name) => name.startsWith(scheduled));
}

// The one with the relay mostly waits, so all run at the same time.
describe.concurrent('the workflow of the backup', () => {
  test(
    'a database of 16 groups and more is copied, verified and restored by stock pg_restore with every row; the same event once more makes nothing',
    async () => {
      const settings = { COPY_STEPS: '4' };
      const most = watchSessions('20261122T020000Z');
      const made = await workflow.backUp('2026-11-22T02:00:00Z', { settings });

      expect([made.outcome, made.failures]).toEqual([{ ok: true, output: { backupId: '20261122T020000Z' } }, []]);
      const groups = new Set(made.tasks.filter(({ state }) => state === 'Copy').map(({ event }) => event['group']));
      expect(groups.size).toBeGreaterThanOrEqual(16);
      expect(made.states.filter((state) => state === 'Copy')).toHaveLength(groups.size);
      const manifest = workflow.manifest('20261122T020000Z');
      expect(
        manifest?.tables.filter(({ schema }) => schema === 'big').map(({ rows, ranges }) => [rows, ranges.length]),
      ).toEqual(Array.from({ length: TABLES }, () => [BLOCKS_OF_TABLE, 2]));
      expect(await workflow.contents('big', '20261122T020000Z')).toEqual(await workflow.contents('big'));
      expect(evidenceOf('20261122T020000Z')).toEqual([
        expect.objectContaining({
          outcome: 'ok',
          sample: null,
          read: expect.objectContaining({ rows: manifest?.tables.reduce((sum, { rows }) => sum + rows, 0) }),
        }),
      ]);
      // One session for each copy step, and the holder: what infra adds up for the connection budget.
      expect(await most.stop()).toBeLessThanOrEqual(4 + 1);
      expect(await workflow.sessionsLeft('20261122T020000Z')).toBe(0);

      const again = await workflow.backUp('2026-11-22T02:00:00Z', { settings });
      expect(again.outcome).toEqual(made.outcome);
      expect(again.states).not.toContain('Copy');
      expect(evidenceOf('20261122T020000Z')).toHaveLength(1);
    },
    LONG_MS,
  );

  test(
    'each group is killed with -9 in its first pass: it is copied again, and the backup is whole',
    async () => {
      const { outcome, failures } = await workflow.backUp('2026-11-23T02:00:00Z', {
        settings: ONE_TABLE,
        kill: ({ state }, count) => state === 'Copy' && count === 1,
      });

      expect(outcome.ok).toBe(true);
      expect(failures.map((line) => line.split(' ', 2).join(' '))).toEqual(
        Array.from({ length: 2 }, () => 'Copy: Runtime.ExitError'),
      );
      expect(workflow.manifest('20261123T020000Z')?.tables[0]?.rows).toBe(BLOCKS_OF_TABLE);
      expect(await workflow.sessionsLeft('20261123T020000Z')).toBe(0);
    },
    LONG_MS,
  );

  test(
    'the verification finds a wrong byte: the execution fails, and the backup stays with that evidence',
    async () => {
      const { outcome, states, failures } = await workflow.backUp('2026-11-25T02:00:00Z', {
        settings: ONE_TABLE,
        before: async ({ state }) => {
          if (state !== 'VerifyPlan') return;
          const key = workflow.manifest('20261125T020000Z')?.tables[0]?.key ?? '';
          const path = workflow.pathOf(key.split('/').slice(1).join('/'));
          const bytes = readFileSync(path);
          bytes[100] = (bytes[100] ?? 0) ^ 1;
          writeFileSync(path, bytes);
        },
      });

      expect(outcome.ok).toBe(false);
      expect(failures).toEqual([expect.stringMatching(/^VerifyFinish: verify\.damaged /)]);
      expect(states).not.toContain('Abort');
      expect(workflow.manifest('20261125T020000Z')).toBeDefined();
      expect(evidenceOf('20261125T020000Z')).toEqual([expect.objectContaining({ outcome: 'damaged' })]);
    },
    LONG_MS,
  );

  test(
    'three attempts have failed: a fourth execution begins no attempt, and fails as well',
    async () => {
      // PostgreSQL 15 has no zstd, which the step plan finds out when its claim is there.
      const refused = async () =>
        await workflow.backUp('2026-11-26T02:00:00Z', { settings: { ...ONE_TABLE, CODEC: 'zstd' } });
      const runs = [await refused(), await refused(), await refused(), await refused()];

      expect(runs.map(({ outcome }) => outcome.ok)).toEqual([false, false, false, false]);
      const refusedCodec = expect.stringMatching(/^Plan: backup\.codec_refused /);
      expect(runs.map(({ failures }) => failures[0])).toEqual([
        refusedCodec,
        refusedCodec,
        refusedCodec,
        expect.stringMatching(/^Plan: backup\.attempts_used_up /),
      ]);
      const claims = claimsOf('20261126T020000Z');
      expect(claims.filter((name) => !name.endsWith('.failed.json'))).toHaveLength(3);
      expect(await workflow.sessionsLeft('20261126T020000Z')).toBe(0);
    },
    LONG_MS,
  );

  test(
    'two functions hold the snapshot in turn and hand it over three times while groups are copied: the backup is whole',
    async () => {
      const template = templateOf(synthesize([sampleDatabase({ backup: { snapshotHolder: 'relay' } })]), 'sample');
      const holders = new Set<string>();
      const lookForHolders = async () => {
        const rows = await workflow.query<{ name: string }>(
          "select application_name as name from pg_stat_activity where application_name like 'nightshift/holder 20261127T020000Z %'",
        );
        for (const { name } of rows) holders.add(name);
        return holders.size;
      };
      const { outcome, failures, states } = await workflow.backUp('2026-11-27T02:00:00Z', {
        workflow: readWorkflows(template.toJSON()['Resources']).backup,
        // The wait of the second holder too.
        pauseMs: 1_000,
        settings: { ...ONE_TABLE, SNAPSHOT_HOLDER: 'relay', RELAY_SHIFT_SECONDS: '10' },
        before: async ({ state, event }) => {
          // The first group is read from the first or second holder, the other one from the fourth.
          if (state !== 'Copy' || event['group'] !== 1) return;
          while ((await lookForHolders()) < 4) await sleep(200);
        },
      });

      expect([outcome, failures]).toEqual([{ ok: true, output: { backupId: '20261127T020000Z' } }, []]);
      expect(states.filter((state) => state === 'HoldFirst').length).toBeGreaterThanOrEqual(2);
      expect(states.filter((state) => state === 'HoldSecond').length).toBeGreaterThanOrEqual(2);
      expect(workflow.manifest('20261127T020000Z')?.tables[0]?.rows).toBe(BLOCKS_OF_TABLE);
      expect(await workflow.sessionsLeft('20261127T020000Z')).toBe(0);
    },
    LONG_MS,
  );

  test(
    'the second function of a relay begins when finish has just let the snapshot go: it ends well, and so does the backup',
    async () => {
      const template = templateOf(synthesize([sampleDatabase({ backup: { snapshotHolder: 'relay' } })]), 'sample');
      const holders = async () => {
        const rows = await workflow.query(
          "select 1 from pg_stat_activity where application_name like 'nightshift/holder 20261128T020000Z %'",
        );
        return rows.length;
      };
      const { outcome, failures, states } = await workflow.backUp('2026-11-28T02:00:00Z', {
        workflow: readWorkflows(template.toJSON()['Resources']).backup,
        settings: { ...ONE_TABLE, SNAPSHOT_HOLDER: 'relay', RELAY_SHIFT_SECONDS: '10' },
        before: async ({ state }) => {
          if (state !== 'HoldSecond') return;
          while ((await holders()) === 0) await sleep(50);
          while ((await holders()) > 0) await sleep(50);
        },
      });

      expect([outcome, failures]).toEqual([{ ok: true, output: { backupId: '20261128T020000Z' } }, []]);
      expect(states.filter((state) => state === 'HoldSecond')).toHaveLength(1);
      expect(await workflow.sessionsLeft('20261128T020000Z')).toBe(0);
    },
    LONG_MS,
  );
});

// Alone: the step plan of another backup must not look for what a failed one has left while that is being removed.
describe('the workflow of a backup that fails', () => {
  test(
    'a copy step fails each time: the backup is aborted, no upload, no manifest and no session stay, and the next attempt is made',
    async () => {
      let uploadsBefore = 0;
      const failed = await workflow.backUp('2026-11-24T02:00:00Z', {
        settings: ONE_TABLE,
        before: async ({ state }) => {
          if (state === 'Abort') uploadsBefore = (await workflow.uploads('20261124T020000Z')).length;
        },
        kill: ({ state, event }) => state === 'Copy' && event['group'] === 1,
      });

      expect(failed.outcome).toMatchObject({
        ok: false,
        cause: expect.stringMatching(/ended by SIGKILL.*uploads were aborted/),
      });
      expect(failed.states.filter((state) => state === 'Abort')).toHaveLength(1);
      expect(failed.states).not.toContain('Finish');
      expect(workflow.manifest('20261124T020000Z')).toBeUndefined();
      expect(uploadsBefore).toBe(1);
      expect(await workflow.uploads('20261124T020000Z')).toEqual([]);
      expect(await workflow.sessionsLeft('20261124T020000Z')).toBe(0);
      expect(claimsOf('20261124T020000Z')).toEqual(['20261124T020000Z-1.failed.json', '20261124T020000Z-1.json']);

      const { outcome } = await workflow.backUp('2026-11-24T02:00:00Z', { settings: ONE_TABLE });
      expect(outcome).toEqual({ ok: true, output: { backupId: '20261124T020000Z-2' } });
    },
    LONG_MS,
  );
});

/** Looks ten times a second how many sessions of a backup are on the server; tells the most. */
function watchSessions(backupId: string): { stop: () => Promise<number> } {
  const stopped = new AbortController();
  let most = 0;
  const watching = (async () => {
    while (!stopped.signal.aborted) {
      const rows = await workflow.query<{ sessions: number }>(
        "select count(*)::int as sessions from pg_stat_activity where application_name like 'nightshift/%' || $1 || '%'",
        [backupId],
      );
      most = Math.max(most, rows[0]?.sessions ?? 0);
      await sleep(100);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await watching;
      return most;
    },
  };
}

/** The evidence of all verifications of a backup. */
function evidenceOf(backupId: string): unknown[] {
  const folder = workflow.pathOf(`${backupId}/verified`);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));
}
