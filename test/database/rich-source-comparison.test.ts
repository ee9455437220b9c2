import { assert, asyncProperty, integer, uint8Array } from 'fast-check';
import { describe, expect, inject, test } from 'vitest';
import { createFreshDatabase } from '../support/fresh-database.ts';
import { firstDifference, plainDump } from '../support/rich-source/compare-by-dump.ts';
import { stockClient } from '../support/rich-source/restored-database.ts';

const token = (letter: string) => letter.repeat(63);
const dump = (letter: string, rows: string) =>
  `--\n\n\\restrict ${token(letter)}\n\n${rows}\n\\unrestrict ${token(letter)}\n\n`;

async function* inChunks(text: string | Buffer, bytes: number): AsyncGenerator<Buffer> {
  const all = Buffer.from(text);
  for (let from = 0; from < all.length; from += bytes) yield all.subarray(from, from + bytes);
}

describe('firstDifference', () => {
  test.each([1, 2, 7, 64, 1_000])(
    'dumps that differ in their tokens only, in chunks of %i bytes: equal',
    async (bytes) => {
      const rows = 'COPY t (a) FROM stdin;\n1\n\\N\n\\.\n';

      expect(await firstDifference(inChunks(dump('a', rows), bytes), inChunks(dump('b', rows), 13))).toBeUndefined();
    },
  );

  test('a row that looks like a token line but is none: it counts', async () => {
    const rows = 'COPY t (a) FROM stdin;\n\\restrict me\n\\.\n';

    const difference = await firstDifference(
      inChunks(dump('a', rows), 5),
      inChunks(dump('b', rows.replace('me', 'us')), 9),
    );

    expect(difference?.expected).toContain('\\restrict me');
    expect(difference?.actual).toContain('\\restrict us');
  });

  test.each([
    ['a row is missing', '2\n', ''],
    ['a row comes twice', '2\n', '2\n2\n'],
    ['two rows have changed places', '1\n2\n', '2\n1\n'],
    ['the end is missing', '3\n\\.\n', ''],
  ])('%s: found', async (_, part, instead) => {
    const rows = '1\n2\n3\n\\.\n';

    const difference = await firstDifference(inChunks(rows, 3), inChunks(rows.replace(part, instead), 4));

    expect(difference?.at).toBe(rows.indexOf(part) + (instead.startsWith(part) ? part.length : 0));
  });

  test('any two byte strings in any chunks: found exactly when they differ, at the first byte that does', async () => {
    // Few values and short texts, among them line feeds and backslashes: many pairs are equal or begin alike.
    const bytes = uint8Array({ maxLength: 8, max: 3 }).map((values) =>
      values.map((value) => [10, 92, 114, 97][value] ?? 0),
    );
    const size = integer({ min: 1, max: 9 });
    await assert(
      asyncProperty(bytes, bytes, size, size, async (one, other, sizeOfOne, sizeOfOther) => {
        const [left, right] = [Buffer.from(one), Buffer.from(other)];

        const difference = await firstDifference(inChunks(left, sizeOfOne), inChunks(right, sizeOfOther));

        if (left.equals(right)) {
          expect(difference).toBeUndefined();
          return;
        }
        const at = difference?.at ?? -1;
        expect(left.subarray(0, at).equals(right.subarray(0, at))).toBe(true);
        expect(left[at]).not.toBe(right[at]);
      }),
    );
  });
});

describe('plainDump', () => {
  test('the database is not there: pg_dump and its words are told, it is not an empty dump', async () => {
    const dumping = firstDifference(plainDump({ ...stockClient(), database: 'no_such' }), inChunks('', 1));

    await expect(dumping).rejects.toThrow(/pg_dump of no_such exited with code 1: .*"no_such" does not exist/);
  });

  test('a difference at the beginning of a long dump: it is told and pg_dump is gone', async () => {
    const fresh = await createFreshDatabase();
    await fresh.query('create table t as select n, md5(n::text) as m from generate_series(1, 200000) n');

    const difference = await firstDifference(
      plainDump({ ...stockClient(), database: fresh.name }),
      inChunks('not a dump', 10),
    );

    expect(difference).toMatchObject({ at: 0, actual: 'not a dump' });
    const { rows } = await fresh.query('select 1 from pg_stat_activity where datname = $1 and application_name = $2', [
      fresh.name,
      'pg_dump',
    ]);
    expect(rows).toEqual([]);
    expect(inject('cluster').major).toBeGreaterThanOrEqual(15);
    await fresh.drop();
  });
});
