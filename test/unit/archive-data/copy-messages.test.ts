import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCopyReader } from '../../../functions/shared/copy-messages.ts';

function message(kind: string, body: Buffer | string): Buffer {
  const content = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(kind, 'latin1');
  head.writeUInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

/** What comes out when the bytes arrive in pieces that end at these places. */
function readInPieces(bytes: Buffer, cuts: readonly number[]): { text: string; rest: Buffer } {
  const read = createCopyReader();
  const texts: string[] = [];
  let rest: Buffer | undefined;
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    const piece = Buffer.from(bytes.subarray(from, to));
    from = to;
    if (rest) {
      rest = Buffer.concat([rest, piece]);
      continue;
    }
    const answer = read(piece);
    texts.push(answer.text.toString('latin1'));
    rest = answer.rest && Buffer.from(answer.rest);
  }
  return { text: texts.join(''), rest: rest ?? Buffer.alloc(0) };
}

const end = Buffer.concat([message('C', 'COPY 3\0'), message('Z', 'I')]);

describe('createCopyReader', () => {
  test('any text in any pieces, with notices between: the text, and everything after CopyDone for the client', () => {
    const row = fc.oneof(fc.string({ unit: 'binary-ascii', maxLength: 40 }), fc.constant('x'.repeat(70_000)));
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 12 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }),
        (rows, places) => {
          const bytes = Buffer.concat([
            message('H', Buffer.from([0, 0, 0])),
            ...rows.flatMap((text) => [message('d', text), message('N', 'SNOTICE\0\0')]),
            message('c', ''),
            end,
          ]);
          const cuts = places.map((place) => Math.floor(place * bytes.length));

          expect(readInPieces(bytes, cuts)).toEqual({ text: rows.join(''), rest: end });
        },
      ),
    );
  });

  test('cut after every single byte: the same', () => {
    const bytes = Buffer.concat([message('H', 'abc'), message('d', 'one\n'), message('d', ''), message('c', ''), end]);

    expect(readInPieces(bytes, Array.from(bytes.keys()))).toEqual({ text: 'one\n', rest: end });
  });

  test('an error instead of CopyDone: the client gets the whole message of it', () => {
    const failed = message('E', 'SERROR\0C57014\0\0');
    const bytes = Buffer.concat([message('H', 'abc'), message('d', 'one\n'), failed]);

    for (const cut of bytes.keys()) expect(readInPieces(bytes, [cut])).toEqual({ text: 'one\n', rest: failed });
  });
});
