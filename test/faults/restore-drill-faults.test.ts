// A restore drill while something goes wrong around it: damage, S3, sessions, time. Never a success that was not, never a
// scratch database that stays, and only what is known about the backup becomes evidence.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import type {
  DrillPlanResult,
  DrillState,
  DrillWorkResult,
  RestoreDrillResult,
} from '../../functions/restore-drill/contract.ts';
import { restoreDrillEvent } from '../../functions/restore-drill/contract.ts';
import type { RestoreDrillJob } from '../../functions/restore-drill/run-restore-drill.ts';
import { runRestoreDrill } from '../../functions/restore-drill/run-restore-drill.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { fetchedFolders, type StoredBackup, storedBackup } from '../support/changed-backup.ts';
import { createDrillRole, type DrillRole } from '../support/drill-role.ts';
import { recordedContext } from '../support/job-context.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { rounds } from '../support/test-size.ts';
import { verify } from '../support/verify-job.ts';
import { waitForRow } from '../support/what-is-left.ts';

const COPYING =
  "select pid from pg_stat_activity where datname like 'nightshift_drill_%' and usename = $1 and query ilike 'copy%readings%'";

let aws: LocalAws;
let source: BackupSource;
let drill: DrillRole;
let backup: StoredBackup;
let backupId: string;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 200_000);
  drill = await createDrillRole(aws, source);
  await source.fresh.query('create index on app.readings (value)');
  await source.fresh.query(
    "select lo_from_bytea(50000 + n, decode(md5(n::text), 'hex')) from generate_series(1, 20) n",
  );
  backupId = (await source.backUp()).backupId;
  backup = storedBackup(aws, backupId);
  await verify({ database: 'shop', clients: source.clients }, { backupId });
});

afterEach(async () => {
  aws.setFault(undefined);
  source.restorePrograms();
  expect(await drill.scratchDatabases()).toEqual([]);
  expect(fetchedFolders(process.pid)).toEqual([]);
});

afterAll(async () => {
  await drill.drop();
  await source.drop();
  await aws.stop();
});

/** How a drill ended, and the evidence that it left. */
async function end(more: Partial<RestoreDrillJob> = {}) {
  const context = recordedContext(more);
  const result = await drill.drill(context, { backupId }).catch((error: unknown) => error);
  return { result, evidence: backup.readEvidence(context.runId) };
}

describe('a restore drill, while something goes wrong', () => {
  test.each(Array.from({ length: rounds }, (_, round) => round))(
    'one byte of an object of the archive is changed (round %i): damaged, the place is named, nothing wrong is restored',
    async (round) => {
      const { objects, tables } = backup.readManifest();
      const files = objects.filter(({ key }) => key.startsWith(backup.keys.archive) && !key.endsWith('blobs.toc'));
      const { key } = files[(round * 37) % files.length] ?? { key: '' };
      const covered = tables.find((table) => table.key === key)?.ranges.at(-1);
      await backup.withObject(
        key,
        (bytes) => {
          const length = covered ? covered.offset + covered.length : bytes.length;
          const at = Math.floor((length * (round + 0.5)) / rounds);
          bytes[at] = (bytes[at] ?? 0) ^ 0x10;
          return bytes;
        },
        async () => {
          const { result, evidence } = await end();

          expect(result).toMatchObject({ code: 'drill.archive_damaged' });
          expect(String(result)).toContain(key.split('/').at(-1));
          expect(evidence).toMatchObject({ outcome: 'damaged', differenceCount: 1 });
        },
      );
    },
  );

  test('an object is not there: named before anything is restored', async () => {
    await backup.withManifest(
      (manifest) => {
        const lost = backup.keys.archiveFile('blob_1.dat.gz');
        manifest.objects.push({ key: lost, bytes: 30, etag: '', sha256: '0'.repeat(64) });
      },
      async () => {
        const { result } = await end();

        expect(String(result)).toMatch(
          /1 difference: archive file "blob_1\.dat\.gz": expected 30 bytes, found no such object/,
        );
      },
    );
  });

  test('S3 answers 503 without end: the drill fails, and nothing is said about the backup', async () => {
    aws.setFault(({ operation, key }) =>
      operation === 'GetObject' && key?.includes('/archive/blob') ? { status: 503, code: 'SlowDown' } : undefined,
    );

    const { result, evidence } = await end();

    expect(result).toMatchObject({ code: 'object_store.failed' });
    expect(evidence).toBeUndefined();
  });

  test('the body of every object breaks off midway: it goes on at that byte, and the drill is ok', async () => {
    const store = createObjectStore(BUCKET);
    const broken = new Set<string>();
    const { result } = await end({
      store: {
        ...store,
        getRange: async (key, from, length, signal) => {
          const whole = await store.getRange(key, from, length, signal);
          if (whole === undefined || broken.has(key)) return whole;
          broken.add(key);
          const halved = async function* (): AsyncGenerator<Buffer> {
            for await (const chunk of whole) {
              if (Buffer.isBuffer(chunk)) yield chunk.subarray(0, Math.ceil(chunk.length / 2));
              throw new Error('aborted');
            }
          };
          return Readable.from(halved());
        },
      },
    });

    expect(result).toMatchObject({ outcome: 'ok' });
    expect(broken.size).toBeGreaterThan(20);
  });

  test('the backend that loads rows is terminated midway: the step is done again on a new session, and no row is there twice', async () => {
    const running = end();
    const { pid } = await waitForRow<{ pid: number }>(source.fresh, COPYING, 10_000, drill.role);

    await source.fresh.query('select pg_terminate_backend($1)', [pid]);

    expect((await running).result).toMatchObject({
      outcome: 'ok',
      drills: [{ compared: { tables: 2, rows: 201_000 } }],
    });
  });

  test('the time limit comes near midway: it stops itself, drops the scratch database and leaves no evidence', async () => {
    const deadline = new AbortController();
    const running = end({ signal: deadline.signal });
    await waitForRow(source.fresh, COPYING, 10_000, drill.role);

    deadline.abort(new JobFailure({ code: 'job.out_of_time', problem: 'p', safeState: 's', hint: 'h' }));

    const { result, evidence } = await running;
    expect(result).toMatchObject({ code: 'job.out_of_time' });
    expect(evidence).toBeUndefined();
  });

  test('pg_restore refuses the table of contents: damaged, with its words', async () => {
    source.replaceProgram('pg_restore', 'echo "pg_restore: error: unsupported version" >&2; exit 1');

    const { result } = await end();

    expect(String(result)).toMatch(/SQL that can be read by pg_restore, found pg_restore: error: unsupported version/);
  });

  test('pg_restore writes the SQL only in part: damaged, never a part of a database that counts as whole', async () => {
    source.replaceProgram('pg_restore', '"$REAL" "$@" | head -c 3000');

    const { result } = await end();

    expect(result).toMatchObject({ code: 'drill.archive_damaged' });
  });

  test('the scratch database cannot be dropped: the evidence says ok, the drill fails and names it', async () => {
    const context = recordedContext();
    const recorded = context.log;
    const { user, password } = inject('cluster');
    let prepared: Promise<unknown> = Promise.resolve();
    let scratch = '';
    const info: typeof recorded.info = (event, fields) => {
      recorded.info(event, fields);
      if (event !== 'restore_drill.restored') return;
      prepared = (async () => {
        [scratch = ''] = await drill.scratchDatabases();
        const client = await source.fresh.client({ user, password, database: scratch });
        await client.query("begin; create table in_the_way (); prepare transaction 'in_the_way'");
        await client.end();
      })();
    };

    const failure = await drill
      .drill({ ...context, log: { ...recorded, info } }, { backupId })
      .catch((error: unknown) => error);
    await prepared;

    expect(failure).toMatchObject({ code: 'drill.scratch_not_dropped' });
    expect(String(failure)).toContain(scratch);
    expect(backup.readEvidence(context.runId)).toMatchObject({ outcome: 'ok' });
    const client = await source.fresh.client({ user, password, database: scratch });
    await client.query("rollback prepared 'in_the_way'");
    await client.end();
    await source.fresh.query(`drop database "${scratch}" with (force)`);
  });

  test('crashed drills have left databases: those whose lease is over are swept, the others stay', async () => {
    const lease = (until: string) => `comment on database $NAME is 'Nightshift restore drill, at work until ${until}'`;
    const names = {
      old: ['nightshift_drill_20200101t000000z_0123abcd', ''],
      young: ['nightshift_drill_29990101t000000z_0123abcd', ''],
      over: ['nightshift_drill_29990101t000000z_00000001', lease('2020-01-01T00:00:00.000Z')],
      atWork: ['nightshift_drill_20200101t000000z_00000002', lease('2999-01-01T00:00:00.000Z')],
      foreign: ['nightshift_drill_by_hand', ''],
    } as const;
    for (const [name, comment] of Object.values(names)) {
      await source.fresh.query(`create database ${name} owner "${drill.role}"`);
      if (comment !== '') await source.fresh.query(comment.replace('$NAME', name));
    }

    const { swept } = await drill.drill({}, { backupId });

    expect(swept.toSorted()).toEqual([names.old[0], names.over[0]].toSorted());
    const left = [names.young[0], names.atWork[0], names.foreign[0]];
    expect(await drill.scratchDatabases()).toEqual(left.toSorted());
    for (const name of left) await source.fresh.query(`drop database ${name}`);
  });

  test('a killed drill has left its folder: the next one removes it, but not that of a process that lives', async () => {
    const dead = join(tmpdir(), `nightshift-drill-4194305-${'a'.repeat(6)}`);
    const living = join(tmpdir(), `nightshift-drill-${process.ppid}-${'a'.repeat(6)}`);
    for (const folder of [dead, living]) {
      mkdirSync(folder);
      writeFileSync(join(folder, 'toc.dat'), 'x');
    }

    await drill.drill({}, { backupId });

    expect([existsSync(dead), existsSync(living)]).toEqual([false, true]);
    rmSync(living, { recursive: true });
  });
});

/** Runs the steps as the workflow does, until they are done; `timeLimitMs` is that of each pass. */
async function passes(drillState: DrillState, timeLimitMs: number): Promise<{ count: number; drill: DrillState }> {
  for (let count = 1; ; count += 1) {
    const event = restoreDrillEvent.parse({ job: 'restore-drill', step: 'work', drill: drillState });
    const answer = (await runRestoreDrill(drill.job({ timeLimitMs }, event))) as DrillWorkResult;
    if (answer.done) return { count, drill: answer.drill };
    drillState = JSON.parse(JSON.stringify(answer.drill));
  }
}

async function plan(executionId: string, of = backupId): Promise<DrillPlanResult> {
  const event = { step: 'plan', executionId, backupId: of } as const;
  return (await runRestoreDrill(drill.job({}, event))) as DrillPlanResult;
}

describe('the steps of the drill workflow', () => {
  test('each pass has a moment only: many passes go on where the one before stopped, and everything is restored once', async () => {
    const { drills, swept } = await plan('arn:aws:states:eu:1:execution:drill:many-passes');
    const [first] = drills;
    if (first === undefined) throw new Error('nothing is planned');

    // 40 s are kept for the end of a function: this leaves 900 ms, of which the last third begins nothing new.
    const done = await passes(first, 40_900);
    const finish = restoreDrillEvent.parse({ job: 'restore-drill', step: 'finish', drills: [done.drill], swept });
    const result = (await runRestoreDrill(drill.job({}, finish))) as RestoreDrillResult;

    expect(done.count).toBeGreaterThan(1);
    expect(result).toMatchObject({
      outcome: 'ok',
      drills: [{ backupId, chosenAs: 'named', compared: { tables: 2, rows: 201_000, largeObjects: 20 } }],
    });
    expect(backup.readEvidence('many-passes')).toMatchObject({ outcome: 'ok', drillId: 'many-passes' });
  });

  test('the last pass is delivered once more: it answers the same, and nothing is restored again', async () => {
    const { drills } = await plan('arn:aws:states:eu:1:execution:drill:twice');
    const [first] = drills;
    if (first === undefined) throw new Error('nothing is planned');
    await passes(first, 900_000);
    const context = recordedContext();

    const again = (await runRestoreDrill(drill.job(context, { step: 'work', drill: first }))) as DrillWorkResult;

    expect(again.done).toBe(true);
    expect(context.events.map(({ event }) => event)).not.toContain('restore_drill.restored');
  });

  test('an index is built for longer than a pass: the server ends it by itself, and the next pass takes it as done', async () => {
    await source.fresh.query(
      "create function app.slow(n int) returns int language plpgsql immutable as 'begin perform pg_catalog.pg_sleep(0.05); return n; end'",
    );
    await source.fresh.query('create table app.slow_keys as select n as id from generate_series(1, 60) n');
    await source.fresh.query('create index slow on app.slow_keys (app.slow(id))');
    const { backupId: slow } = await source.backUp();
    await verify({ database: 'shop', clients: source.clients }, { backupId: slow });
    await source.fresh.query('drop table app.slow_keys; drop function app.slow(int)');
    const { drills } = await plan('arn:aws:states:eu:1:execution:drill:long-index', slow);
    const [first] = drills;
    if (first === undefined) throw new Error('nothing is planned');

    // The index takes 3 s, a pass has 1.5 s.
    const done = await passes(first, 41_500);

    expect(done.count).toBeGreaterThan(1);
    expect(storedBackup(aws, slow).readEvidence('long-index')).toMatchObject({ outcome: 'ok', differenceCount: 0 });
  });

  test('no step ever ends within a pass: the drill fails and says so, instead of going on for hours', async () => {
    const { drills } = await plan('arn:aws:states:eu:1:execution:drill:too-short');
    const [first] = drills;
    if (first === undefined) throw new Error('nothing is planned');

    await expect(passes(first, 40_001)).rejects.toMatchObject({ code: 'drill.no_progress' });
    await expect(runRestoreDrill(drill.job({}, { step: 'abort', drills }))).rejects.toMatchObject({
      code: 'drill.aborted',
    });
  });

  test('the workflow aborts midway: the scratch database goes, the reason is told, no evidence is left', async () => {
    const { drills } = await plan('arn:aws:states:eu:1:execution:drill:aborted');
    const [first] = drills;
    if (first === undefined) throw new Error('nothing is planned');
    const cause = JSON.stringify({ errorType: 'X', errorMessage: 'the first reason. Hint: do this.' });
    await runRestoreDrill(drill.job({ timeLimitMs: 40_400 }, { step: 'work', drill: first }));
    expect(await drill.scratchDatabases()).toEqual([first.scratch]);

    await expect(runRestoreDrill(drill.job({}, { step: 'abort', drills, cause }))).rejects.toThrow(
      /the restore drill failed: the first reason\./,
    );

    expect(backup.readEvidence('aborted')).toBeUndefined();
  });

  test('finish without evidence of a drill, or with a bad one: never a success', async () => {
    const { drills } = await plan('arn:aws:states:eu:1:execution:drill:no-evidence');

    await expect(runRestoreDrill(drill.job({}, { step: 'finish', drills }))).rejects.toMatchObject({
      code: 'drill.unproven',
    });
  });

  test('an older backup is due: both are drilled, and not again within the week', async () => {
    const { backupId: newer } = await source.backUp();
    await verify({ database: 'shop', clients: source.clients }, { backupId: newer });

    const { drills } = await drill.drill();
    const next = await drill.drill();
    const later = { ...systemClock, now: () => new Date(Date.now() + 8 * 86_400_000) };
    const afterAWeek = await drill.drill({ clock: later }, { dryRun: true });

    expect(drills.map(({ backupId: id, chosenAs }) => [id, chosenAs])).toEqual([
      [newer, 'newest'],
      [expect.not.stringMatching(newer), 'older'],
    ]);
    expect(next.drills.map(({ chosenAs }) => chosenAs)).toEqual(['newest']);
    expect(afterAWeek.drills.map(({ chosenAs }) => chosenAs)).toEqual(['newest', 'older']);
  });
});
