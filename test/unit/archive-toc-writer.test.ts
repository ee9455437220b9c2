import { describe, expect, test } from 'vitest';
import { entryFileName, storedFileName } from '../../functions/shared/archive-toc/archive-file-names.ts';
import { createByteQueue } from '../../functions/shared/archive-toc/byte-queue.ts';
import { writeDirectoryToc } from '../../functions/shared/archive-toc/toc-writer.ts';
import { customHead, directoryFixtures, directoryToc, readWhole } from '../fixtures/toc/toc-fixtures.ts';

describe('writeDirectoryToc', () => {
  test.each(directoryFixtures)(
    'the pipe of $folder as a directory with $codec: byte for byte what pg_dump -Fd wrote',
    (one) => {
      const expected = directoryToc(one.folder, one.codec);
      const piped = readWhole(customHead(one.folder));
      // Another run of pg_dump, a second or two later: the only difference that is not ours.
      const { createdAt } = readWhole(expected).header;

      const written = writeDirectoryToc(
        { ...piped, header: { ...piped.header, createdAt } },
        { compression: one.codec },
      );

      expect(written.equals(expected)).toBe(true);
    },
  );

  test.each(directoryFixtures)(
    'toc.dat of $folder with $codec, read and written: the same bytes',
    ({ folder, codec }) => {
      const bytes = directoryToc(folder, codec);

      expect(writeDirectoryToc(readWhole(bytes), { compression: codec }).equals(bytes)).toBe(true);
    },
  );

  test('1.14 made with level 9: the level is kept', () => {
    const toc = readWhole(directoryToc('15', 'gzip'));

    const written = writeDirectoryToc({ ...toc, header: { ...toc.header, level: 9 } }, { compression: 'gzip' });

    expect(readWhole(written).header).toEqual({ ...toc.header, level: 9 });
  });

  test.each(['lz4', 'zstd'] as const)('1.14 with %s: refused, because its readers would take it for gzip', (codec) => {
    const toc = readWhole(customHead('15'));

    expect(() => writeDirectoryToc(toc, { compression: codec })).toThrow(
      `an archive of version 1.14 cannot declare ${codec}; it must be none or gzip`,
    );
  });
});

describe('file names', () => {
  test('data, large objects and entries without data: as pg_dump names them', () => {
    expect(entryFileName({ dumpId: 12, hasData: true, desc: 'TABLE DATA' }, '1.16')).toBe('12.dat');
    expect(entryFileName({ dumpId: 12, hasData: true, desc: 'BLOBS' }, '1.15')).toBe('blobs.toc');
    expect(entryFileName({ dumpId: 12, hasData: true, desc: 'BLOBS' }, '1.16')).toBe('blobs_12.toc');
    expect(entryFileName({ dumpId: 12, hasData: false, desc: 'TABLE' }, '1.16')).toBe('');
  });

  test('on disk: the suffix of the codec, but never for a table of contents', () => {
    expect((['none', 'gzip', 'lz4', 'zstd'] as const).map((codec) => storedFileName('12.dat', codec))).toEqual([
      '12.dat',
      '12.dat.gz',
      '12.dat.lz4',
      '12.dat.zst',
    ]);
    expect(storedFileName('blobs_12.toc', 'zstd')).toBe('blobs_12.toc');
  });
});

describe('createByteQueue', () => {
  test('pieces of all sizes in and out: the same bytes in order', () => {
    const queue = createByteQueue();
    const all = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
    const taken: Buffer[] = [];

    for (let at = 0, size = 1; at < all.length; at += size, size = (size * 7 + 3) % 6_000) {
      queue.append(all.subarray(at, at + size));
      taken.push(queue.take(Math.floor(queue.length / 2)));
    }
    taken.push(queue.take(queue.length));

    expect(Buffer.concat(taken).equals(all)).toBe(true);
    expect(queue.bytesCopied).toBeLessThan(6 * all.length);
  });

  test('more than there is: refused and nothing taken', () => {
    const queue = createByteQueue();
    queue.append(Buffer.from('abc'));

    expect(() => queue.take(4)).toThrow('4 bytes wanted of 3');
    expect(String(queue.take(3))).toBe('abc');
  });
});
