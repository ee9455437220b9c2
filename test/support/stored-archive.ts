// A small but complete backup with its manifest, made without the copy engine: whole in memory, so that a test can damage it
// anywhere before it is stored. All of it follows from the seed.
import { createHash } from 'node:crypto';
import { constants, crc32, gzipSync, zstdCompressSync } from 'node:zlib';
import type { DataCodec } from '../../functions/shared/archive-data/codec.ts';
import { createPadding } from '../../functions/shared/archive-data/padding.ts';
import type { Toc, TocEntry } from '../../functions/shared/archive-toc/toc-entry.ts';
import { writeDirectoryToc } from '../../functions/shared/archive-toc/toc-writer.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import type { ObjectStore } from '../../functions/shared/object-store.ts';

export const CLOSING_MARK = '\\.\n\n\n';

export interface TestTable {
  name: string;
  /** COPY text of each range, from one to many. */
  ranges: readonly string[];
}

export interface StoredArchive {
  manifest: BackupManifest;
  /** By key; the manifest is not among them. */
  objects: Map<string, Buffer>;
}

interface ArchiveParts {
  database: string;
  backupId: string;
  codec: DataCodec;
  seed: number;
  tables?: readonly TestTable[];
  largeObjects?: readonly { oid: number; content: Buffer }[];
}

/** A number from 0 (inclusive) to `below` (exclusive), the same row of them for the same seed (mulberry32). */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** One whole gzip member or zstd frame. */
export function member(codec: DataCodec, text: string | Buffer): Buffer {
  return codec === 'gzip'
    ? gzipSync(text, { level: 1 })
    : zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
}

/** Makes everything; tables and large objects that are not given are made up. */
export function makeArchive(parts: ArchiveParts): StoredArchive {
  const { database, backupId, codec } = parts;
  const random = seededRandom(parts.seed);
  const keys = backupKeys(database, backupId);
  const suffix = codec === 'gzip' ? '.gz' : '.zst';
  const tables = parts.tables ?? someTables(random);
  const largeObjects = parts.largeObjects ?? someLargeObjects(random);
  const objects = new Map<string, Buffer>();

  const manifestTables = tables.map(({ name, ranges }, index): BackupManifest['tables'][number] => {
    const dumpId = FIRST_TABLE + index;
    const key = keys.archiveFile(`${dumpId}.dat${suffix}`);
    const pieces: Buffer[] = [];
    let offset = 0;
    const listed = ranges.map((text, range) => {
      const stored = storedRange(codec, text, range, random);
      const isLast = range === ranges.length - 1;
      const listedRange = {
        blocks: [range * 10, isLast ? null : (range + 1) * 10] satisfies [number, number | null],
        rows: text.split('\n').length - 1,
        bytes: Buffer.byteLength(text),
        crc32: crc32(text).toString(16).padStart(8, '0'),
        sha256: sha256(stored),
        length: stored.length,
        offset,
      };
      pieces.push(stored);
      offset += stored.length;
      return listedRange;
    });
    objects.set(key, Buffer.concat([...pieces, member(codec, CLOSING_MARK)]));
    const rows = listed.reduce((sum, range) => sum + range.rows, 0);
    const bytes = listed.reduce((sum, range) => sum + range.bytes, 0);
    return { schema: 'app', name, dumpId, key, rows, bytes, ranges: listed };
  });

  const ofTables = new Set(objects.keys());
  for (const { oid, content } of largeObjects)
    objects.set(keys.archiveFile(`blob_${oid}.dat${suffix}`), member(codec, content));
  if (largeObjects.length > 0) {
    const list = largeObjects.map(({ oid }) => `${oid} blob_${oid}.dat\n`).join('');
    objects.set(keys.archiveFile('blobs.toc'), Buffer.from(list));
  }
  objects.set(keys.archiveFile('toc.dat'), tocOf(codec, tables, largeObjects));
  objects.set(keys.globals, Buffer.from('CREATE ROLE app;\n'));
  return {
    objects,
    manifest: {
      ...fixedFacts(parts),
      tables: manifestTables,
      largeObjects: {
        count: largeObjects.length,
        bytes: largeObjects.reduce((sum, { content }) => sum + content.length, 0),
        sha256: sha256(
          largeObjects
            .toSorted((a, b) => a.oid - b.oid)
            .map(({ oid, content }) => `${oid} ${content.length} ${sha256(content)}\n`)
            .join(''),
        ),
      },
      objects: [...objects].map(([key, bytes]) => ({
        key,
        bytes: bytes.length,
        etag: '',
        sha256: ofTables.has(key) ? null : sha256(bytes),
      })),
    },
  };
}

/** Puts everything, the manifest last, in the way of the backup. */
export async function storeArchive(store: ObjectStore, { manifest, objects }: StoredArchive): Promise<void> {
  await Promise.all(
    [...objects].map(async ([key, bytes]) => await store.putNew(key, bytes, 'application/octet-stream')),
  );
  const { manifest: key } = backupKeys(manifest.database, manifest.backupId);
  await store.putNew(key, JSON.stringify(manifest), 'application/json');
}

export function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const FIRST_TABLE = 100;
const FIRST_LARGE_OBJECT = 200;

/** Members that end in the middle of a row, an empty one, padding: all that a range may be. */
function storedRange(codec: DataCodec, text: string, range: number, random: (below: number) => number): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length === 0) return range % 2 === 0 ? Buffer.alloc(0) : member(codec, '');
  const cut = random(bytes.length);
  const members = [member(codec, bytes.subarray(0, cut)), member(codec, bytes.subarray(cut))];
  if (range % 2 === 0) members.push(createPadding(codec, 21 + random(500)));
  if (range % 3 === 0) members.push(member(codec, ''));
  return Buffer.concat(members);
}

function someTables(random: (below: number) => number): TestTable[] {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, n) => `${n}\t${someText(random, random(60))}\n`).join('');
  return [
    { name: 'orders', ranges: [rows(40), rows(1), rows(25), rows(60)] },
    { name: 'notes', ranges: [rows(15)] },
    { name: 'empty', ranges: [''] },
    { name: 'no columns', ranges: ['\n\n\n'] },
    { name: 'half empty', ranges: [rows(5), '', rows(3), ''] },
  ];
}

function someText(random: (below: number) => number, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(33 + random(90))).join('');
}

function someLargeObjects(random: (below: number) => number) {
  return [50_001, 50_003, 9, 4_000_000_000].map((oid, index) => ({
    oid,
    content: index === 1 ? Buffer.alloc(0) : Buffer.from(someText(random, 1 + random(4_000))),
  }));
}

function fixedFacts({ database, backupId, codec }: ArchiveParts) {
  const takenAt = '2026-11-22T02:00:01.000Z';
  return {
    manifestVersion: 1 as const,
    database,
    backupId,
    trigger: 'schedule' as const,
    scheduledTime: '2026-11-22T02:00:00.000Z',
    takenAt,
    finishedAt: takenAt,
    engine: { version: '15.18', aurora: false },
    serverId: '7000000000000000001',
    toolVersion: '0.1.0',
    clientVersion: '15.18',
    format: 'directory' as const,
    codec,
    archiveVersion: codec === 'gzip' ? '1.14' : '1.15',
    snapshot: '100:100:',
    encoding: 'UTF8',
    sequences: [{ schema: 'app', name: 'numbers', lastValue: '42', isCalled: true }],
    excluded: [],
    readByPolicy: [],
    notSeen: [],
    extensions: [],
    roles: ['app'],
  };
}

/** A table of contents that stock pg_restore lists (that of 1.14; 1.15 needs pg_restore 16). */
function tocOf(codec: DataCodec, tables: readonly TestTable[], largeObjects: readonly { oid: number }[]): Buffer {
  const toc: Omit<Toc, 'bytes'> = {
    header: {
      version: codec === 'gzip' ? '1.14' : '1.15',
      intSize: 4,
      offSize: 8,
      format: 'directory',
      codec,
      level: codec === 'gzip' ? -1 : null,
      createdAt: { second: 1, minute: 0, hour: 2, dayOfMonth: 22, month: 10, yearsSince1900: 126, daylightSaving: 0 },
      dbname: Buffer.from('app'),
      serverVersion: '15.18',
      dumpVersion: '15.18',
    },
    entries: [
      entry(1, { tag: 'ENCODING', desc: 'ENCODING', definition: "SET client_encoding = 'UTF8';\n" }),
      entry(2, {
        tag: 'numbers',
        desc: 'SEQUENCE SET',
        namespace: 'app',
        definition: "SELECT pg_catalog.setval('app.numbers', 42, true);\n",
      }),
      ...tables.map(({ name }, index) =>
        entry(FIRST_TABLE + index, {
          tag: name,
          desc: 'TABLE DATA',
          namespace: 'app',
          hasData: true,
          copyStatement: `COPY app."${name}" (id) FROM stdin;\n`,
        }),
      ),
      ...largeObjects.map(({ oid }, index) =>
        entry(FIRST_LARGE_OBJECT + index, { tag: String(oid), desc: 'BLOB', oid }),
      ),
      ...(largeObjects.length > 0 ? [entry(300, { tag: 'BLOBS', desc: 'BLOBS', hasData: true })] : []),
    ],
  };
  return writeDirectoryToc({ ...toc, bytes: 0 }, { compression: codec });
}

function entry(
  dumpId: number,
  some: {
    tag: string;
    desc: string;
    namespace?: string;
    definition?: string;
    copyStatement?: string;
    hasData?: boolean;
    oid?: number;
  },
): TocEntry {
  const bytes = (value: string | undefined) => (value === undefined ? null : Buffer.from(value));
  return {
    dumpId,
    hasData: some.hasData ?? false,
    tableOid: 0,
    oid: some.oid ?? 0,
    tag: Buffer.from(some.tag),
    desc: some.desc,
    section: 'data',
    definition: bytes(some.definition),
    dropStatement: null,
    copyStatement: bytes(some.copyStatement),
    namespace: bytes(some.namespace),
    tablespace: null,
    tableAccessMethod: null,
    relkind: null,
    owner: Buffer.from('app'),
    withOids: false,
    dependencies: [],
  };
}
