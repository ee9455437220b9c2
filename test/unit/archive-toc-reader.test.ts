import { describe, expect, test } from 'vitest';
import { createTocReader } from '../../functions/shared/archive-toc/toc-reader.ts';
import {
  customHead,
  dataBlockHead,
  directoryFixtures,
  directoryToc,
  handMadeHead,
  readWhole,
  tocFixtures,
} from '../fixtures/toc/toc-fixtures.ts';

describe('createTocReader', () => {
  test.each(tocFixtures)(
    'the head of pg_dump -Fc, $folder: its header, its entries, and where the data begins',
    ({ folder, version, serverVersion, dumpVersion, entries, bytes }) => {
      const toc = createTocReader().push(customHead(folder));

      expect(toc?.header).toMatchObject({
        version,
        serverVersion,
        dumpVersion,
        intSize: 4,
        offSize: 8,
        format: 'custom',
      });
      expect(toc?.header).toMatchObject({ codec: 'none', level: version === '1.14' ? 0 : null });
      expect(toc?.header.createdAt).toMatchObject({ hour: 8, dayOfMonth: 22, month: 10, yearsSince1900: 126 });
      expect(String(toc?.header.dbname)).toBe('fixture');
      expect(toc?.entries).toHaveLength(entries);
      expect(toc?.bytes).toBe(bytes);
    },
  );

  test('one entry of each kind of field: as pg_dump wrote it', () => {
    const { entries } = readWhole(customHead('17'));

    const odd = entries.find(({ desc, tag }) => desc === 'TABLE DATA' && String(tag) === 'T é');
    expect(odd).toMatchObject({ dumpId: 3631, hasData: true, tableOid: 0, oid: 17_929, section: 'data', relkind: 0 });
    expect(odd).toMatchObject({ definition: null, dropStatement: null, tablespace: null, withOids: false });
    expect(String(odd?.copyStatement)).toBe('COPY "Odd Schema"."T é" (x, y) FROM stdin;\n');
    const table = entries.find(({ desc, tag }) => desc === 'TABLE' && String(tag) === 'docs');
    expect(table).toMatchObject({ hasData: false, tableOid: 1259, section: 'pre-data', relkind: 'r'.charCodeAt(0) });
    expect([table?.namespace, table?.owner, table?.tableAccessMethod].map(String)).toEqual([
      'public',
      'postgres',
      'heap',
    ]);
    expect(String(table?.dropStatement)).toBe('DROP TABLE public.docs;\n');
    expect(odd?.dependencies).toEqual([
      entries.find(({ desc, tag }) => desc === 'TABLE' && String(tag) === 'T é')?.dumpId,
    ]);
    expect(readWhole(customHead('15')).entries[0]?.relkind).toBeNull();
  });

  test.each(directoryFixtures)(
    'toc.dat of $folder with $codec: the same entries as in the pipe, up to its last byte',
    (one) => {
      const bytes = directoryToc(one.folder, one.codec);

      const toc = readWhole(bytes);

      expect(toc.header).toMatchObject({ format: 'directory', codec: one.codec });
      expect(toc.bytes).toBe(bytes.length);
      expect(toc.entries).toEqual(readWhole(customHead(one.folder)).entries);
    },
  );

  test.each(tocFixtures)(
    '$folder comes byte by byte, or in pieces of 7 or 4,096 bytes: the same as at once',
    ({ folder }) => {
      const bytes = customHead(folder);
      const atOnce = readWhole(bytes);

      for (const size of [1, 7, 4_096]) expect(readWhole(bytes, size)).toEqual(atOnce);
    },
  );

  test('the table of contents is whole but no data has come: not complete before its first bytes are there', () => {
    const bytes = customHead('17');
    const reader = createTocReader();

    expect(reader.push(bytes.subarray(0, 31_758 + 5))).toBeUndefined();
    const toc = reader.push(bytes.subarray(31_758 + 5, 31_758 + 6));

    expect(toc?.bytes).toBe(31_758);
    expect(reader.push(Buffer.from('whatever follows'))).toBe(toc);
    expect(reader.end()).toBe(toc);
  });

  test('an archive in which nothing has data: complete at its end, and refused when bytes follow', () => {
    const head = handMadeHead([{ desc: 'TABLE' }]);
    const reader = createTocReader();

    expect(reader.push(head)).toBeUndefined();
    expect(reader.end().entries).toHaveLength(2);
    expect(() => readWhole(Buffer.concat([head, Buffer.of(1)]))).toThrow('bytes follow the last entry but none must');
  });

  test('schemas whose bytes differ in the highest bit only: kept apart', () => {
    const { entries } = readWhole(handMadeHead([{ namespace: 'é' }, { namespace: 'C)' }, { namespace: 'é' }]));

    expect(entries.map(({ namespace }) => namespace && String(namespace))).toEqual([null, 'é', 'C)', 'é']);
  });

  test('large objects are the first data: their kind of block is known', () => {
    const head = handMadeHead([{ dumpId: 9, desc: 'BLOBS', hasData: true }]);

    expect(readWhole(Buffer.concat([head, dataBlockHead(3, 9)])).bytes).toBe(head.length);
    expect(() => readWhole(Buffer.concat([head, dataBlockHead(1, 9)]))).toThrow(
      'the bytes 010009000000 but the data of',
    );
  });

  test('20,000 entries in pieces of 4 KiB: each byte is read once and copied a few times', () => {
    const entries = Array.from({ length: 20_000 }, (_, index) => ({
      dumpId: index + 2,
      hasData: true,
      desc: 'TABLE DATA',
      tag: `table ${index}`,
      definition: 'x'.repeat(index % 300),
      dependencies: [1, index + 1],
    }));
    const head = handMadeHead(entries);
    const reader = createTocReader();

    const archive = Buffer.concat([head, dataBlockHead(1, 2)]);
    for (let at = 0; at < archive.length; at += 4_096) reader.push(archive.subarray(at, at + 4_096));

    expect(reader.end().entries).toHaveLength(20_001);
    expect(reader.progress).toMatchObject({ entriesRead: 20_001, bytesRead: head.length });
    expect(reader.progress.bytesCopied).toBeLessThan(6 * head.length);
  });

  test('one definition of 2 MB byte by byte: copying stays linear too', () => {
    const head = handMadeHead([{ desc: 'VIEW', definition: 'x'.repeat(2_000_000) }]);
    const reader = createTocReader();

    for (let at = 0; at < head.length; at += 1) reader.push(head.subarray(at, at + 1));

    expect(reader.end().entries[1]?.definition).toHaveLength(2_000_000);
    expect(reader.progress.bytesCopied).toBeLessThan(6 * head.length);
  });
});
