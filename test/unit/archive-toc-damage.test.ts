import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Toc } from '../../functions/shared/archive-toc/toc-entry.ts';
import { createTocReader } from '../../functions/shared/archive-toc/toc-reader.ts';
import { writeDirectoryToc } from '../../functions/shared/archive-toc/toc-writer.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import {
  archiveInt,
  customHead,
  dataBlockHead,
  directoryToc,
  handMadeHead,
  readWhole,
  tocFixtures,
} from '../fixtures/toc/toc-fixtures.ts';

/** The table of contents, or undefined when it was refused in the proper way. */
function readOrRefuse(bytes: Buffer, size: number = bytes.length): Toc | undefined {
  try {
    return readWhole(bytes, size);
  } catch (error) {
    if (error instanceof JobFailure && error.code === 'client_tools.failed') return undefined;
    throw error;
  }
}

/** All that was read, as bytes: much faster to compare than objects. */
function rewritten(toc: Toc): Buffer {
  return writeDirectoryToc(toc, { compression: toc.header.codec });
}

/** Where the number of entries stands. */
function countPosition({ header }: Toc): number {
  const texts = [header.dbname, header.serverVersion, header.dumpVersion];
  return 11 + (header.version === '1.14' ? 5 : 1) + 7 * 5 + texts.reduce((sum, text) => sum + 5 + text.length, 0);
}

describe('damaged tables of contents', () => {
  test.each(tocFixtures)(
    'each bit of the header of $folder flipped: refused, or only a value of the header differs',
    ({ folder }) => {
      const bytes = customHead(folder);
      const original = readWhole(bytes);
      const end = countPosition(original) + 5;
      const entries = rewritten(original);
      let refused = 0;

      for (let bit = 0; bit < end * 8; bit += 1) {
        const damaged = Buffer.from(bytes);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const toc = readOrRefuse(damaged);
        if (toc === undefined) {
          refused += 1;
          continue;
        }
        const { version, offSize, format } = original.header;
        expect(toc.header).toMatchObject({ version, offSize, format });
        expect(toc.header).not.toEqual(original.header);
        expect(rewritten({ ...toc, header: original.header }).equals(entries)).toBe(true);
      }

      expect(refused).toBeGreaterThan(end * 4);
    },
  );

  test.each([
    ['the magic', 0, Buffer.from('PGDMX'), /the first bytes are "PGDMX" but an archive begins with "PGDMP"/],
    [
      'version 1.17',
      5,
      Buffer.of(1, 17, 0),
      /the archive version is 1\.17-0 but must be one of 1\.14, 1\.15, 1\.16\..*Hint: use a pg_dump of PostgreSQL 14 to 18/,
    ],
    ['version 1.13', 5, Buffer.of(1, 13, 0), /the archive version is 1\.13-0 but must be/],
    ['a revision', 5, Buffer.of(1, 16, 1), /the archive version is 1\.16-1 but must be/],
    ['numbers of 8 bytes', 8, Buffer.of(8), /the size of a number is 8 bytes but must be 4/],
    ['offsets of 16 bytes', 9, Buffer.of(16), /the size of an offset is 16 bytes but must be 4 or 8/],
    ['tar in directory form', 10, Buffer.of(5), /the format is 5 but must be 1 \(custom\) or 3 \(directory\)/],
    ['an unknown compression', 11, Buffer.of(4), /the compression is 4 but must be 0 to 3/],
    ['hour 24', 22, archiveInt(24), /the hour of the creation time is 24 but must be 0 to 23/],
    [
      'a negative length',
      47,
      archiveInt(-2),
      /the length of the name of the database is -2 but must be -1 to 1,048,576/,
    ],
    ['a long name', 47, archiveInt(1_048_577), /the name of the database is 1,048,577 but must be -1 to 1,048,576/],
    ['an absent name', 47, archiveInt(-1), /the name of the database is absent but must be there/],
    ['a negative zero', 47, Buffer.of(1, 0, 0, 0, 0), /has the sign byte 1 with magnitude 0, which is no number/],
  ])('%s: refused with the actual and the allowed value', (_what, at, put, message) => {
    const bytes = customHead('17');
    put.copy(bytes, at);

    const refusal = (): unknown => createTocReader().push(bytes);

    expect(refusal).toThrow(message);
    expect(refusal).toThrow(/Nothing was written from this table of contents\. Hint: /);
  });

  test.each([0, -1, 2, 137, 139, 100_000, 13_421_773, 2_147_483_647])(
    '%i entries said instead of 138: refused',
    (count) => {
      const bytes = customHead('17');
      archiveInt(count).copy(bytes, countPosition(readWhole(bytes)));

      expect(readOrRefuse(bytes)).toBeUndefined();
    },
  );

  test('more entries said than the largest table of contents can hold: refused before the first one comes', () => {
    const bytes = customHead('17');
    const place = countPosition(readWhole(bytes));
    archiveInt(13_421_773).copy(bytes, place);

    expect(() => createTocReader().push(bytes.subarray(0, place + 5))).toThrow(
      /the number of entries is 13,421,773 but must be 1 to 13,421,771/,
    );
  });

  test('toc.dat that names another data file: refused, because the name would be opened', () => {
    const bytes = directoryToc('17', 'gzip');
    bytes.write('../1', bytes.indexOf('3631.dat'));

    expect(() => readWhole(bytes)).toThrow('the file name is "../1.dat" but must be "3631.dat"');
  });

  test('refused once: refused for ever, with the same failure', () => {
    const reader = createTocReader();
    const failures: unknown[] = [];

    for (const attempt of [
      () => reader.push(Buffer.from('not an archive')),
      () => reader.push(customHead('17')),
      () => reader.end(),
    ]) {
      try {
        attempt();
      } catch (error) {
        failures.push(error);
      }
    }

    expect(failures).toHaveLength(3);
    expect(new Set(failures).size).toBe(1);
  });

  test.each(tocFixtures)(
    '$folder cut at many places: more is needed, and its end is refused',
    ({ folder, bytes: end }) => {
      const bytes = customHead(folder);
      const places = [
        0,
        1,
        4,
        5,
        10,
        11,
        ...Array.from({ length: 300 }, (_, i) => Math.floor((i * end) / 300)),
        end,
        end + 5,
      ];

      for (const place of places) {
        const reader = createTocReader();
        expect(reader.push(bytes.subarray(0, place))).toBeUndefined();
        expect(() => reader.end()).toThrow(/the archive ended before the (?:table of contents was whole|data began)/);
      }
    },
  );

  test('toc.dat with a byte too few or too many: refused', () => {
    const bytes = directoryToc('17', 'gzip');

    expect(readOrRefuse(bytes.subarray(0, -1))).toBeUndefined();
    expect(readOrRefuse(Buffer.concat([bytes, Buffer.of(0)]), 1)).toBeUndefined();
  });

  test.each([0x7f_ff_ff_ff, 0x3f_ff_ff_ff, 0x01_00_00_00])(
    'length %i anywhere at the start: no memory is taken for it',
    (absurd) => {
      const bytes = directoryToc('16.3', 'none');

      for (let place = 5; place < 1_000; place += 1) {
        const damaged = Buffer.from(bytes);
        archiveInt(absurd).copy(damaged, place);
        const reader = createTocReader();
        const before = process.memoryUsage().arrayBuffers;
        const outcome = ((): unknown => {
          try {
            return reader.push(damaged);
          } catch (error) {
            return error instanceof JobFailure ? undefined : error;
          }
        })();
        expect(outcome).toBeUndefined();
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
        expect(reader.progress.bytesCopied).toBeLessThan(6 * bytes.length);
      }
    },
  );

  test('a table of contents longer than the limit: refused as soon as a length says so', () => {
    const head = handMadeHead([{ desc: 'VIEW', definition: 'x'.repeat(50_000) }]);
    const reader = createTocReader({ maxBytes: 10_000 });

    expect(() => reader.push(head.subarray(0, 2_000))).toThrow(
      /it would reach to byte 50,\d{3} but at most 10,000 bytes are read/,
    );
    expect(() => createTocReader({ maxBytes: head.length }).push(head)).not.toThrow();
  });

  test.each([
    ['the same dump ID twice', handMadeHead([{ dumpId: 7 }, { dumpId: 7 }]), /the dump ID 7 is there twice/],
    ['dump ID 0', handMadeHead([{ dumpId: 0 }]), /the dump ID is 0 but must be 1 to 2,147,483,647/],
    ['a kind that is no ASCII', handMadeHead([{ desc: 'TÄBLE' }]), /the kind holds bytes that are not printable ASCII/],
    ['a dependency with a leading zero', handMadeHead([{ dependencies: ['07'] }]), /a dependency is "07" but must be/],
    ['an offset without data', handMadeHead([{ offsetState: 2 }]), /the state of the offset is 2 but must be 3/],
    ['data without an offset', handMadeHead([{ hasData: true, offsetState: 3 }]), /the offset is 3 but must be 1 or 2/],
    ['a dependency on 0', handMadeHead([{ dependencies: [0] }]), /a dependency is "0" but must be the digits of 1 to/],
  ])('%s: refused with its place', (_what, head, message) => {
    expect(() => readWhole(head)).toThrow(message);
    expect(() => readWhole(head)).toThrow(/is not as it must be at byte [\d,]+, after [12] entries/);
  });

  test('the first data is of an entry without data: refused', () => {
    const head = handMadeHead([{ dumpId: 8, desc: 'TABLE DATA', hasData: true }, { dumpId: 9 }]);

    expect(readOrRefuse(Buffer.concat([head, dataBlockHead(1, 8)]))).toBeDefined();
    expect(readOrRefuse(Buffer.concat([head, dataBlockHead(1, 9)]))).toBeUndefined();
  });

  test.each(['15', '16.3', '18'])(
    'any bytes of a toc.dat of %s changed: refused, or read so that it is written back the same',
    (folder) => {
      const bytes = directoryToc(folder, 'gzip');
      const change = fc.record({
        place: fc.oneof(fc.nat(bytes.length - 1), fc.nat(300)),
        put: fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 6 }),
          fc.integer({ min: -5, max: 70_000 }).map(archiveInt),
        ),
      });

      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
          const damaged = Buffer.from(bytes);
          for (const { place, put } of changes) damaged.set(put.subarray(0, damaged.length - place), place);
          const toc = readOrRefuse(damaged);
          expect(toc === undefined || rewritten(toc).equals(damaged)).toBe(true);
        }),
        { numRuns: 700 },
      );
    },
  );
});
