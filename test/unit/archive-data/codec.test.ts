import { execFileSync } from 'node:child_process';
import { crc32, gunzipSync, zstdDecompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createCompressor,
  emptyMember,
  hasShortRows,
  tailMember,
} from '../../../functions/shared/archive-data/codec.ts';
import { createMemberReader } from '../../../functions/shared/archive-data/member-reader.ts';
import { BATCH_BYTES, createMemberWriter } from '../../../functions/shared/archive-data/member-writer.ts';
import { createPadding, leastPadding } from '../../../functions/shared/archive-data/padding.ts';

const codecs = ['gzip', 'zstd'] as const;
const decode = { gzip: gunzipSync, zstd: zstdDecompressSync };

/** Text of rows that compress about as rows do. */
function rowsOfText(bytes: number): Buffer {
  const rows: string[] = [];
  for (let length = 0, id = 0; length < bytes; id += 1) {
    const row = `${id}\torder number ${(id * 7919) % 10_007}\t2026-01-01 00:00:00+00\n`;
    rows.push(row);
    length += row.length;
  }
  return Buffer.from(rows.join('')).subarray(0, bytes);
}

/** The text of a file of several members; Node's own zstd stops after the first frame. */
async function decodeFile(codec: 'gzip' | 'zstd', file: Buffer): Promise<string> {
  const texts: Buffer[] = [];
  const reader = createMemberReader({ codec, take: (text) => void texts.push(Buffer.from(text)) });
  await reader.write(file);
  await reader.end();
  return Buffer.concat(texts).toString();
}

/** The member of a text that comes in pieces of these sizes, in turn. */
async function memberOf(codec: 'gzip' | 'zstd', text: Buffer, sizes: readonly number[]) {
  const taken: Buffer[] = [];
  const writer = createMemberWriter({
    codec,
    content: 'rows',
    take: async (compressed) => void taken.push(...compressed.map((chunk) => Buffer.from(chunk))),
  });
  for (let from = 0, turn = 0; from < text.length; turn += 1) {
    const piece = Buffer.from(text.subarray(from, from + (sizes[turn % sizes.length] ?? 1)));
    from += piece.length;
    await writer.write(piece);
    // The writer may keep nothing of what it was given.
    piece.fill(0);
  }
  return { ...(await writer.finish()), stored: Buffer.concat(taken) };
}

describe.each(codecs)('createMemberWriter with %s', (codec) => {
  test('a text of several batches: decodes to itself, with its size and CRC-32', async () => {
    const text = rowsOfText(3 * BATCH_BYTES + 12_345);

    const { stored, bytes, crc32: crc } = await memberOf(codec, text, [65_536]);

    expect(decode[codec](stored).equals(text)).toBe(true);
    expect(bytes).toBe(text.length);
    expect(crc).toBe(crc32(text).toString(16).padStart(8, '0'));
  });

  test('the same text in other pieces: byte-identical members', async () => {
    const text = rowsOfText(2 * BATCH_BYTES + 77);
    const { stored } = await memberOf(codec, text, [8_192]);

    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 100, max: 2_500_000 }), { minLength: 1, maxLength: 8 }),
        async (sizes) => {
          expect((await memberOf(codec, text, sizes)).stored.equals(stored)).toBe(true);
        },
      ),
      { numRuns: 10 },
    );
  });

  test.each([1, BATCH_BYTES - 1, BATCH_BYTES, BATCH_BYTES + 1, 2 * BATCH_BYTES])(
    'a text of %i bytes: decodes to itself',
    async (bytes) => {
      const text = rowsOfText(bytes);

      expect(decode[codec]((await memberOf(codec, text, [60_000])).stored).equals(text)).toBe(true);
    },
  );

  test('no text: no member at all and the CRC-32 of nothing', async () => {
    expect(await memberOf(codec, Buffer.alloc(0), [1])).toEqual({
      bytes: 0,
      crc32: '00000000',
      stored: Buffer.alloc(0),
    });
  });

  test('the taker fails: a later write or finish rejects with its error', async () => {
    const writer = createMemberWriter({
      codec,
      content: 'rows',
      take: async () => {
        throw new Error('no room');
      },
    });
    const writeAll = async () => {
      for (let batch = 0; batch < 4; batch += 1) await writer.write(rowsOfText(BATCH_BYTES));
      await writer.finish();
    };

    await expect(writeAll()).rejects.toThrow('no room');
    writer.destroy();
  });
});

describe.each(codecs)('createCompressor with %s', (codec) => {
  test('destroyed in the middle: the running call rejects instead of waiting for ever', async () => {
    const compressor = createCompressor(codec, 'short');
    const running = compressor.compress(rowsOfText(BATCH_BYTES));
    compressor.destroy();

    await expect(running).rejects.toThrow('closed');
    await expect(compressor.finish()).rejects.toThrow('closed');
  });

  test('the tail and the empty member: whole files of their own with the closing mark and with nothing', () => {
    expect(decode[codec](tailMember(codec)).toString()).toBe('\\.\n\n\n');
    expect(decode[codec](emptyMember(codec))).toHaveLength(0);
  });
});

describe('zstd', () => {
  test('one bit is flipped: the decoder notices, because the frame has a checksum', async () => {
    const text = rowsOfText(200_000);
    const { stored } = await memberOf('zstd', text, [8_192]);
    let silent = 0;
    for (let at = 10; at < stored.length; at += 97) {
      const damaged = Buffer.from(stored);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      try {
        zstdDecompressSync(damaged);
        silent += 1;
      } catch {
        // As it should be.
      }
    }

    expect(silent).toBe(0);
  });
});

describe('hasShortRows', () => {
  test('rows of less than 512 bytes on average are short, others and a text without an end of row are long', () => {
    expect(hasShortRows(Buffer.from(`${'x'.repeat(510)}\n`.repeat(9)))).toBe(true);
    expect(hasShortRows(Buffer.from(`${'x'.repeat(511)}\n`.repeat(9)))).toBe(false);
    expect(hasShortRows(Buffer.from('x'.repeat(100)))).toBe(false);
  });
});

describe.each(codecs)('createPadding with %s', (codec) => {
  const text = rowsOfText(5_000);

  test.each([0, 1, 2, 100, 65_535, 65_536, 5_242_880])(
    'the least size and %i bytes more: exact, and decodes to nothing',
    async (more) => {
      const { stored } = await memberOf(codec, text, [999]);
      const bytes = leastPadding(codec) + more;

      const padding = createPadding(codec, bytes);

      expect(padding).toHaveLength(bytes);
      // Between two members, as in a table of several ranges.
      const file = Buffer.concat([stored, padding, stored, tailMember(codec)]);
      expect(await decodeFile(codec, file)).toBe(`${text.toString().repeat(2)}\\.\n\n\n`);
    },
  );

  test('less than the format needs, or no whole number: refused', () => {
    expect(() => createPadding(codec, leastPadding(codec) - 1)).toThrow(RangeError);
    expect(() => createPadding(codec, 100.5)).toThrow(RangeError);
  });
});

describe('gzip itself', () => {
  test('a file of members and padding: gzip of the system tests and decodes it', async () => {
    const text = rowsOfText(300_000);
    const { stored } = await memberOf('gzip', text, [8_192]);
    const file = Buffer.concat([stored, createPadding('gzip', 70_000), stored, tailMember('gzip')]);

    const decoded = execFileSync('gzip', ['-dc'], { input: file, maxBuffer: 10_000_000 });

    expect(decoded.toString()).toBe(`${text.toString().repeat(2)}\\.\n\n\n`);
  });
});
