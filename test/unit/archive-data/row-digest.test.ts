import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addRowDigests, createRowDigester, NO_ROWS } from '../../../functions/shared/archive-data/row-digest.ts';

function digestOf(...chunks: (string | Buffer)[]) {
  const digester = createRowDigester();
  for (const chunk of chunks) digester.push(Buffer.from(chunk));
  return digester.end();
}

/** The definition, written in another way: sum of the first 32 hex digits of each line's SHA-256, modulo 2^128. */
function digestByDefinition(lines: readonly string[]): string {
  const hashes = lines.map((line) => BigInt(`0x${createHash('sha256').update(line).digest('hex').slice(0, 32)}`));
  return (hashes.reduce((sum, hash) => sum + hash, 0n) % 2n ** 128n).toString(16).padStart(32, '0');
}

const line = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\n', ' '));
const lines = fc.array(line, { maxLength: 20 });
const textOf = (rows: readonly string[]) => rows.map((row) => `${row}\n`).join('');

describe('createRowDigester', () => {
  test('any rows: the digest is the one of its definition, and all rows are counted', () => {
    fc.assert(
      fc.property(lines, (rows) => {
        expect(digestOf(textOf(rows))).toEqual({ rows: rows.length, digest: digestByDefinition(rows), openBytes: 0 });
      }),
    );
  });

  test('a text cut at any bytes: the same digest', () => {
    fc.assert(
      fc.property(lines, fc.array(fc.nat()), (rows, cuts) => {
        const bytes = Buffer.from(textOf(rows));
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
        const chunks = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
        expect(digestOf(...chunks)).toEqual(digestOf(bytes));
      }),
    );
  });

  test('the same rows in another order: the same digest', () => {
    fc.assert(
      fc.property(
        lines.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }))),
        ([rows, shuffled]) => {
          expect(digestOf(textOf(shuffled))).toEqual(digestOf(textOf(rows)));
        },
      ),
    );
  });

  test('a row twice, a row less or a row altered: another digest', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), fc.nat(), (rows, at) => {
        const index = at % rows.length;
        const altered = rows.with(index, `${rows[index]}x`);
        const digests = [rows, [...rows, rows[index] ?? ''], rows.toSpliced(index, 1), altered].map(
          (some) => digestOf(textOf(some)).digest,
        );
        expect(new Set(digests).size).toBe(4);
      }),
    );
  });

  test('the text is overwritten after it was pushed: the digest is that of what it was', () => {
    const digester = createRowDigester();
    const chunk = Buffer.from('one\ntw');
    digester.push(chunk);
    chunk.fill('x');
    digester.push(Buffer.from('o\n'));

    expect(digester.end().digest).toBe(digestByDefinition(['one', 'two']));
  });

  test('the last row has no newline: its bytes are told and it is not counted', () => {
    expect(digestOf('one\ntw', 'o')).toEqual({ rows: 1, digest: digestByDefinition(['one']), openBytes: 3 });
  });

  test('no rows, and rows without columns: zero, and as many empty lines', () => {
    expect(digestOf()).toEqual({ ...NO_ROWS, openBytes: 0 });
    expect(digestOf('\n\n\n')).toEqual({ rows: 3, digest: digestByDefinition(['', '', '']), openBytes: 0 });
  });
});

describe('addRowDigests', () => {
  test('the digests of two parts of a table: that of the whole, in either order', () => {
    fc.assert(
      fc.property(lines, lines, (some, others) => {
        const { openBytes: _, ...whole } = digestOf(textOf([...some, ...others]));
        const [one, other] = [digestOf(textOf(some)), digestOf(textOf(others))];
        expect(addRowDigests(one, other)).toEqual(whole);
        expect(addRowDigests(other, one)).toEqual(whole);
      }),
    );
  });

  test('a sum over 2^128 goes around', () => {
    const most = { rows: 1, digest: 'f'.repeat(32) };
    expect(addRowDigests(most, { rows: 2, digest: '2'.padStart(32, '0') })).toEqual({
      rows: 3,
      digest: '1'.padStart(32, '0'),
    });
  });
});
