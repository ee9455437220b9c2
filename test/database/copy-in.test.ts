import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database, DatabaseSession } from '../../functions/shared/database.ts';
import { isSessionLost } from '../../functions/shared/postgres-errors.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';

let fresh: FreshDatabase;
let target: Database;

beforeAll(async () => {
  fresh = await createFreshDatabase();
  target = fresh.database('restore-drill');
  await fresh.query('create table plain (n int, body text)');
});

afterAll(async () => await fresh.drop());

const { signal } = new AbortController();
const COPY = 'copy public.plain from stdin';

async function* pieces(rows: number, pieceBytes = 1_000): AsyncGenerator<Buffer> {
  const text = Buffer.from(Array.from({ length: rows }, (_, n) => `${n}\tbody of ${n}\n`).join(''));
  for (let from = 0; from < text.length; from += pieceBytes) yield text.subarray(from, from + pieceBytes);
}

async function* failing(): AsyncGenerator<Buffer> {
  yield* pieces(10);
  throw new Error('the source broke');
}

async function inTransaction<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T> {
  return await target.withTransaction(use);
}

async function count(): Promise<number> {
  const { rows } = await fresh.query<{ n: string }>('select count(*) as n from plain');
  return Number(rows[0]?.n);
}

describe('copyIn', () => {
  test('text cut anywhere, one COPY after another with queries between: all rows are there once', async () => {
    await inTransaction(async (session) => {
      for (const pieceBytes of [1, 7, 65_536]) {
        await session.query('truncate only public.plain');
        const { rows } = await session.copyIn(COPY, { text: pieces(2_000, pieceBytes), signal });
        const answer = await session.query<{ sum: string }>('select sum(n) as sum from public.plain');

        expect(rows).toBe(2_000);
        expect(answer.rows).toEqual([{ sum: '1999000' }]);
      }
    });

    expect(await count()).toBe(2_000);
  });

  test('more text than the sockets hold: the sender waits for the server and nothing is lost', async () => {
    const large = Buffer.from(`1\t${'x'.repeat(99_990)}\n`);
    const text = (async function* () {
      for (let n = 0; n < 400; n += 1) yield large;
    })();

    const { rows } = await inTransaction(async (session) => {
      await session.query('create temp table copied (n int, body text)');
      return await session.copyIn('copy pg_temp.copied from stdin', { text, signal });
    });

    expect(rows).toBe(400);
  });

  test('a source that gets its pieces back when they were sent: once each, in order, and what it does to them changes no row', async () => {
    const given: Buffer[] = [];
    const back: Buffer[] = [];
    const text = (async function* () {
      for (let n = 0; n < 40; n += 1) {
        const piece = Buffer.from(`${n}\t${'x'.repeat(199_990)}\n`);
        given.push(piece);
        yield piece;
      }
    })();
    const onSent = (piece: Buffer) => {
      back.push(piece);
      piece.fill('!');
    };

    const answer = await inTransaction(async (session) => {
      await session.query('create temp table sent (n int, body text)');
      await session.copyIn('copy pg_temp.sent from stdin', { text, onSent, signal });
      return await session.query<{ n: number }>(
        "select count(distinct n)::int as n from pg_temp.sent where body = repeat('x', 199990)",
      );
    });

    expect(answer.rows).toEqual([{ n: 40 }]);
    expect(back).toHaveLength(40);
    expect(back.every((piece, index) => piece === given[index])).toBe(true);
  });

  test('no text at all: no row, and no error', async () => {
    const { rows } = await inTransaction(async (session) => await session.copyIn(COPY, { text: pieces(0), signal }));

    expect(rows).toBe(0);
  });

  test('a row that does not fit, with much text still to come: the error of the server, and no row stays', async () => {
    const before = await count();
    const text = (async function* () {
      yield Buffer.from('no number\tbody\n');
      yield* pieces(200_000, 65_536);
    })();

    await expect(inTransaction(async (session) => await session.copyIn(COPY, { text, signal }))).rejects.toMatchObject({
      code: '22P02',
    });
    expect(await count()).toBe(before);
  });

  test('the text fails midway: its own error is thrown and no row stays', async () => {
    const before = await count();

    await expect(
      inTransaction(async (session) => await session.copyIn(COPY, { text: failing(), signal })),
    ).rejects.toThrow('the source broke');
    expect(await count()).toBe(before);
  });

  test('a statement that is no COPY, or one with an error: refused, and the source is not read', async () => {
    let wasRead = false;
    const text = (async function* () {
      wasRead = true;
      yield Buffer.from('1\tx\n');
    })();

    await expect(
      inTransaction(async (session) => await session.copyIn('copy nothing from stdin', { text, signal })),
    ).rejects.toMatchObject({ code: '42P01' });
    await expect(
      inTransaction(async (session) => await session.copyIn('set lock_timeout = 1000', { text, signal })),
    ).rejects.toThrow('without the number of its rows');
    expect(wasRead).toBe(false);
  });

  test('aborted midway, and the backend terminated midway: it ends with the reason, and no row stays', async () => {
    const before = await count();
    const reason = new Error('enough');
    const cancel = new AbortController();
    const aborted = (async function* () {
      yield* pieces(100);
      cancel.abort(reason);
      yield* pieces(1_000_000, 65_536);
    })();

    await expect(
      inTransaction(async (session) => await session.copyIn(COPY, { text: aborted, signal: cancel.signal })),
    ).rejects.toBe(reason);
    await expect(
      inTransaction(async (session) => {
        const terminated = (async function* () {
          yield* pieces(100);
          await fresh.query('select pg_terminate_backend($1)', [session.processId]);
          yield* pieces(1_000_000, 65_536);
        })();
        return await session.copyIn(COPY, { text: terminated, signal });
      }),
    ).rejects.toSatisfy(isSessionLost);
    expect(await count()).toBe(before);
  });
});
