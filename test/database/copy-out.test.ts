import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database, DatabaseSession } from '../../functions/shared/database.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';

let fresh: FreshDatabase;
let source: Database;

beforeAll(async () => {
  fresh = await createFreshDatabase();
  source = fresh.database('backup');
  await fresh.query('create table large as select n, md5(n::text) as body from generate_series(1, 220000) n');
});

afterAll(async () => await fresh.drop());

async function inSnapshot<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T> {
  return await source.withTransaction(use, 'begin isolation level repeatable read read only');
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

async function isGone(processId: number): Promise<boolean> {
  for (let waited = 0; waited < 2_000; waited += 50) {
    const { rowCount } = await fresh.query('select from pg_stat_activity where pid = $1', [processId]);
    if (rowCount === 0) return true;
    await sleep(50);
  }
  return false;
}

describe('copyOut', () => {
  const { signal } = new AbortController();

  test('one COPY after another and queries between on the same session: text, rows and answers are right', async () => {
    await inSnapshot(async (session) => {
      for (let turn = 1; turn <= 30; turn += 1) {
        const texts: string[] = [];
        const { rows } = await session.copyOut(`copy (select n from generate_series(1, ${turn}) n) to stdout`, {
          signal,
          take: (text) => {
            texts.push(text.toString());
            return undefined;
          },
        });
        const answer = await session.query<{ n: number }>('select $1::int as n', [turn]);

        expect(rows).toBe(turn);
        expect(texts.join('')).toBe(Array.from({ length: turn }, (_, n) => `${n + 1}\n`).join(''));
        expect(answer.rows).toEqual([{ n: turn }]);
      }
    });
  });

  test('a taker that is slow: nothing is read before it is ready, and nothing is lost', async () => {
    const hash = createHash('md5');
    let isBusy = false;
    const { rows } = await inSnapshot(
      async (session) =>
        await session.copyOut('copy public.large to stdout', {
          signal,
          take: (text) => {
            expect(isBusy).toBe(false);
            hash.update(text);
            isBusy = true;
            return new Promise((resolve) => {
              setImmediate(() => {
                isBusy = false;
                resolve();
              });
            });
          },
        }),
    );

    expect(rows).toBe(220_000);
    expect(hash.digest('hex')).toBe(
      createHash('md5')
        .update(Array.from({ length: 220_000 }, (_, n) => `${n + 1}\t${md5(`${n + 1}`)}\n`).join(''))
        .digest('hex'),
    );
  });

  test('a statement that the server refuses, and one that fails in the middle: the error of the server', async () => {
    const take = () => undefined;
    const refused = inSnapshot(async (session) => await session.copyOut('copy nothing to stdout', { signal, take }));
    const failing = inSnapshot(
      async (session) =>
        await session.copyOut('copy (select 1 / (5000 - n) from generate_series(1, 9000) n) to stdout', {
          signal,
          take,
        }),
    );

    await expect(refused).rejects.toMatchObject({ code: '42P01' });
    await expect(failing).rejects.toMatchObject({ code: '22012' });
  });

  test('the server ends the session in the middle: it rejects, it does not end the text', async () => {
    let pieces = 0;
    const failing = inSnapshot(
      async (session) =>
        await session.copyOut(
          'copy (select n, repeat($$x$$, 9000), pg_sleep(0.01) from generate_series(1, 100000) n) to stdout',
          {
            signal,
            take: async () => {
              pieces += 1;
              if (pieces === 3) await fresh.query('select pg_terminate_backend($1)', [session.processId]);
            },
          },
        ),
    );

    await expect(failing).rejects.toThrow(/terminat/i);
    expect(pieces).toBeGreaterThanOrEqual(3);
  });

  test.each(['aborted', 'a failed taker'])(
    '%s while the server is busy: it rejects at once and the session ends',
    async (how) => {
      const cancel = new AbortController();
      let processId = 0;
      const failing = inSnapshot(async (session) => {
        processId = session.processId;
        if (how === 'aborted') setTimeout(() => cancel.abort(new Error('stopped')), 100);
        return await session.copyOut(
          'copy (select n, repeat($$x$$, 9000), pg_sleep(0.01) from generate_series(1, 100000) n) to stdout',
          {
            signal: cancel.signal,
            take: async () => {
              if (how !== 'aborted') throw new Error('stopped');
            },
          },
        );
      });

      await expect(failing).rejects.toThrow('stopped');
      expect(await isGone(processId)).toBe(true);
    },
  );
});
