import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createPadding } from '../../../functions/shared/archive-data/padding.ts';
import type { Source } from '../../../functions/shared/archive-data/read-stored.ts';
import { type CheckedMembers, DamagedStored, storedText } from '../../../functions/shared/archive-data/stored-text.ts';
import { systemClock } from '../../../functions/shared/clock.ts';
import { createObjectStore } from '../../../functions/shared/object-store.ts';
import { member } from '../../support/stored-archive.ts';

type Codec = 'gzip' | 'zstd';

const TEXTS = ['1\tfirst\n'.repeat(30), '2\tsecond\n', '', '3\tthird\n'.repeat(9)];

/** The ranges of a table as they are stored: of several members, with padding, one of them empty. */
function storedRanges(codec: Codec): { stored: Buffer; members: (CheckedMembers & { rows: number })[] } {
  const pieces = TEXTS.map((text, index) => {
    if (text === '') return Buffer.alloc(0);
    const half = Math.floor(text.length / 2);
    const two = [member(codec, text.slice(0, half)), member(codec, text.slice(half))];
    return Buffer.concat(index === 0 ? [...two, createPadding(codec, 40)] : two);
  });
  let offset = 0;
  const members = pieces.map((piece, index) => {
    const text = TEXTS[index] ?? '';
    const one = {
      offset,
      length: piece.length,
      sha256: createHash('sha256').update(piece).digest('hex'),
      bytes: text.length,
      crc32: crc32(text).toString(16).padStart(8, '0'),
      rows: text.split('\n').length - 1,
    };
    offset += piece.length;
    return one;
  });
  return { stored: Buffer.concat(pieces), members };
}

/** S3 with one object, or none, whose bytes come in chunks of `size`. */
function sourceOf(stored: Buffer | undefined, size = 7): Source {
  const getRange = async (_key: string, from: number, length: number) => {
    if (stored === undefined) return undefined;
    const asked = stored.subarray(from, from + length);
    const chunks = Array.from({ length: Math.ceil(asked.length / size) }, (_, n) =>
      Buffer.from(asked.subarray(n * size, (n + 1) * size)),
    );
    return Readable.from(chunks);
  };
  return {
    store: { ...createObjectStore('none'), getRange },
    clock: systemClock,
    signal: new AbortController().signal,
    onBytes: () => {},
  };
}

async function read(codec: Codec, source: Source, members: readonly CheckedMembers[]): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of storedText({ source, codec, key: 'k', members })) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}

async function damageOf(codec: Codec, source: Source, members: readonly CheckedMembers[]): Promise<DamagedStored> {
  const error = await read(codec, source, members).then(
    () => new Error('read without an error'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DamagedStored)) throw error;
  return error;
}

describe.each<Codec>(['gzip', 'zstd'])('storedText, %s', (codec) => {
  const { stored, members } = storedRanges(codec);
  const at = (index: number): CheckedMembers => {
    const one = members[index];
    if (one === undefined) throw new Error(`there is no range ${index}`);
    return one;
  };
  const [first, second] = [at(0), at(1)];

  test('several ranges, cut anywhere by the network: the text of all in order', async () => {
    for (let size = 1; size <= stored.length; size += size < 40 ? 1 : 37) {
      expect(await read(codec, sourceOf(stored, size), members)).toBe(TEXTS.join(''));
    }
  });

  test('a single range out of the middle, and ranges from the middle to the end: their text alone', async () => {
    expect(await read(codec, sourceOf(stored), [second])).toBe(TEXTS[1]);
    expect(await read(codec, sourceOf(stored), members.slice(1))).toBe(TEXTS.slice(1).join(''));
  });

  test('no range, or only empty ones: no text, and S3 is not asked', async () => {
    expect(await read(codec, sourceOf(undefined), [])).toBe('');
    expect(
      await read(
        codec,
        sourceOf(undefined),
        members.filter(({ length }) => length === 0),
      ),
    ).toBe('');
  });

  test('any one bit of the stored bytes is flipped: damage', async () => {
    for (let byte = 0; byte < stored.length; byte += 1) {
      const damaged = Buffer.from(stored);
      damaged[byte] = (damaged[byte] ?? 0) ^ (1 << (byte % 8));

      expect((await damageOf(codec, sourceOf(damaged, 50), members)).name).toBe('DamagedStored');
    }
  });

  test('cut off at any byte, also between members: damage', async () => {
    for (let length = 0; length < stored.length; length += 1) {
      expect((await damageOf(codec, sourceOf(stored.subarray(0, length), 50), members)).name).toBe('DamagedStored');
    }
  });

  test('damage in the second range: the first comes out whole, and the place is told', async () => {
    const damaged = Buffer.from(stored);
    const last = second.offset + second.length - 1;
    damaged[last] = (damaged[last] ?? 0) ^ 1;
    let text = '';

    const reading = async () => {
      for await (const piece of storedText({ source: sourceOf(damaged), codec, key: 'k', members }))
        text += piece.toString();
    };

    await expect(reading()).rejects.toMatchObject({ offset: second.offset });
    expect(text.startsWith(TEXTS[0] ?? '')).toBe(true);
  });

  test('the object is not there: damage that says so', async () => {
    expect(await damageOf(codec, sourceOf(undefined), members)).toMatchObject({
      offset: 0,
      expected: `${first.length} bytes`,
      actual: 'there is no such object',
    });
  });

  test.each([
    ['the SHA-256', { sha256: '0'.repeat(64) }, 'SHA-256 0000'],
    ['the CRC-32 of the text', { crc32: 'deadbeef' }, 'CRC-32 deadbeef'],
    ['the bytes of the text', { bytes: 1 }, '1 bytes of text'],
  ])('%s of the manifest is another: damage, with both', async (_, more, expected) => {
    const damage = await damageOf(codec, sourceOf(stored), [{ ...first, ...more }]);

    expect(damage.expected).toContain(expected);
    expect(damage.actual).not.toContain(expected);
  });

  test('ranges in another order, twice, or with one missing between: refused before anything is read', async () => {
    const [one, two, four] = [at(0), at(1), at(3)];
    for (const wrong of [
      [two, one],
      [one, one],
      [one, four],
      [one, { ...two, offset: two.offset + 1 }],
    ]) {
      expect(await damageOf(codec, sourceOf(undefined), wrong)).toMatchObject({ actual: 'gaps between them' });
    }
  });

  test('a range that ends in the middle of a member: damage', async () => {
    const half = {
      offset: 0,
      length: first.length - 45,
      sha256: createHash('sha256')
        .update(stored.subarray(0, first.length - 45))
        .digest('hex'),
    };

    expect((await damageOf(codec, sourceOf(stored), [half])).expected).toBe('whole members');
  });

  test('S3 does not answer: its failure, and no damage', async () => {
    const source = sourceOf(stored);
    const failing = {
      ...source,
      store: { ...source.store, getRange: async () => await Promise.reject(new Error('503')) },
    };

    await expect(read(codec, failing, members)).rejects.toThrow('503');
  });
});
