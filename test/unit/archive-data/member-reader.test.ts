import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createMemberReader, DamagedMember, freeText } from '../../../functions/shared/archive-data/member-reader.ts';
import { createMemberWriter } from '../../../functions/shared/archive-data/member-writer.ts';
import { createPadding } from '../../../functions/shared/archive-data/padding.ts';

type Codec = 'gzip' | 'zstd';

function member(codec: Codec, text: string | Buffer): Buffer {
  return codec === 'gzip' ? gzipSync(text) : zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
}

/** The text, decoded in pieces of `size` stored bytes. */
async function decode(codec: Codec, stored: Buffer, size = stored.length): Promise<Buffer> {
  const texts: Buffer[] = [];
  const reader = createMemberReader({ codec, take: (text) => void texts.push(Buffer.from(text)) });
  try {
    for (let at = 0; at < stored.length; at += size) await reader.write(stored.subarray(at, at + size));
    await reader.end();
  } finally {
    reader.destroy();
  }
  return Buffer.concat(texts);
}

async function problemOf(codec: Codec, stored: Buffer, size?: number): Promise<string> {
  return await decode(codec, stored, size).then(
    () => 'none',
    (error: unknown) => {
      if (!(error instanceof DamagedMember)) throw error;
      return error.message;
    },
  );
}

describe.each<Codec>(['gzip', 'zstd'])('createMemberReader for %s', (codec) => {
  const texts = ['1\tfirst\n'.repeat(20), '', '2\tsecond\n', '\\.\n\n\n'];
  const [first = Buffer.alloc(0), empty = Buffer.alloc(0), second = Buffer.alloc(0), tail = Buffer.alloc(0)] =
    texts.map((text) => member(codec, text));
  const parts = [first, empty, createPadding(codec, 30), second, tail];
  const stored = Buffer.concat(parts);
  const ends = parts.map((_, index) => Buffer.concat(parts.slice(0, index + 1)).length);
  const sizes = [1, 2, 3, 7, first.length, stored.length];

  test('members, empty members and padding in a row, cut into pieces of any size: the text of all', async () => {
    for (let size = 1; size <= stored.length; size += 1) {
      expect((await decode(codec, stored, size)).toString()).toBe(texts.join(''));
    }
  });

  test('cut off at any byte but the end of a member: an error, whatever the pieces', async () => {
    for (const size of sizes) {
      for (let cut = 1; cut < stored.length; cut += 1) {
        const problem = await problemOf(codec, stored.subarray(0, cut), size);
        if (ends.includes(cut)) expect(problem).toBe('none');
        else expect(problem).toMatch(/cannot be decoded: unexpected end of file/);
      }
    }
  });

  test('other bytes before, between or behind the members, zeros too: an error with the place', async () => {
    const strange = ['x', '\0', '\0'.repeat(40), '\\.\n\n\n'].map((text) => Buffer.from(text));
    for (const bytes of strange) {
      for (const size of sizes) {
        expect(await problemOf(codec, Buffer.concat([bytes, stored]), size)).toMatch(/from stored byte 0 on/);
        expect(await problemOf(codec, Buffer.concat([first, bytes, second]), size)).toMatch(/cannot be decoded/);
        expect(await problemOf(codec, Buffer.concat([stored, bytes]), size)).toMatch(/cannot be decoded/);
      }
    }
  });

  test('a bit is flipped in what is compressed: an error, or another text that the CRC-32 of the manifest tells', async () => {
    let told = 0;
    for (let at = 0; at < second.length; at += 1) {
      const flipped = Buffer.from(second);
      flipped.writeUInt8(flipped.readUInt8(at) ^ 4, at);
      told += (await problemOf(codec, flipped)) === 'none' ? 0 : 1;
    }
    // The rest are bits of the head that no decoder looks at.
    expect(told).toBeGreaterThan(second.length - 10);
  });

  test('no stored byte: no text and no error', async () => {
    expect(await decode(codec, Buffer.alloc(0))).toEqual(Buffer.alloc(0));
  });

  test('after an error: each further call gives the same error', async () => {
    const reader = createMemberReader({ codec, take: () => {} });
    const failure = await reader.write(Buffer.from('no member at all')).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(DamagedMember);
    await expect(reader.write(stored)).rejects.toBe(failure);
    await expect(reader.end()).rejects.toBe(failure);
  });

  test('what takes the text throws: that error, not one of the stored bytes', async () => {
    const full = new Error('full');
    const reader = createMemberReader({
      codec,
      take: () => {
        throw full;
      },
    });

    await expect(reader.write(first).then(async () => await reader.end())).rejects.toBe(full);
  });

  test('what the writer of the backup makes of 3 MiB: the same text again', async () => {
    const text = Buffer.from(Array.from({ length: 200_000 }, (_, n) => `${n}\t${n * 7919}\n`).join(''));
    const made: Buffer[] = [];
    const writer = createMemberWriter({
      codec,
      content: 'rows',
      take: async (compressed) => void made.push(...compressed.map((piece) => Buffer.from(piece))),
    });
    await writer.write(text);
    await writer.finish();

    expect((await decode(codec, Buffer.concat(made), 65_536)).equals(text)).toBe(true);
  });
});

test('a zstd frame that asks for a window of a gigabyte: refused, not given the memory', async () => {
  // Frame header: magic, descriptor without content size, window descriptor 2^30; then one empty last block.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 1, 0, 0]);

  expect(await problemOf('zstd', frame)).toMatch(/cannot be decoded: .*(too much memory|windowTooLarge)/);
});

describe.each<Codec>(['gzip', 'zstd'])('freeText for %s', (codec) => {
  const text = Buffer.from(Array.from({ length: 60_000 }, (_, n) => `${n}\tbody of ${n}\n`).join(''));
  const stored = member(codec, text);

  test('every piece after its use: the memory of all but the last is given back, and the text was whole', async () => {
    const copies: Buffer[] = [];
    const pieces: Buffer[] = [];
    const reader = createMemberReader({
      codec,
      take: (piece) => {
        copies.push(Buffer.from(piece));
        pieces.push(piece);
      },
    });
    for (let at = 0; at < stored.length; at += 10_000) await reader.write(stored.subarray(at, at + 10_000));
    await reader.end();
    const memories = new Set(pieces.map(({ buffer }) => buffer));
    for (const piece of pieces) freeText(piece);

    expect(Buffer.concat(copies).equals(text)).toBe(true);
    expect(memories.size).toBeGreaterThan(2);
    expect([...memories].filter((memory) => memory instanceof ArrayBuffer && !memory.detached)).toHaveLength(1);
  });

  test('a small buffer at the end of memory that others share: is left as it is', () => {
    const shared = Buffer.allocUnsafeSlow(8_192).fill('x');
    freeText(shared.subarray(8_000));

    expect(shared.toString()).toBe('x'.repeat(8_192));
  });
});
