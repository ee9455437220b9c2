import { describe, expect, test } from 'vitest';
import { backupIdOf, backupKeys, claimKeys } from '../../functions/shared/backup-layout.ts';
import { type BackupManifest, parseManifest } from '../../functions/shared/backup-manifest.ts';
import { TOOL_VERSION } from '../../functions/shared/tool-version.ts';
import packageJson from '../../package.json' with { type: 'json' };

const manifest: BackupManifest = {
  manifestVersion: 1,
  database: 'orders',
  backupId: '20261122T020000Z',
  trigger: 'schedule',
  scheduledTime: '2026-11-22T02:00:00.000Z',
  takenAt: '2026-11-22T02:00:03.120Z',
  finishedAt: '2026-11-22T02:01:00.000Z',
  engine: { version: '15.18', aurora: false },
  serverId: '7',
  toolVersion: TOOL_VERSION,
  clientVersion: '15.18',
  format: 'directory',
  codec: 'gzip',
  archiveVersion: '1.14',
  snapshot: '10:10:',
  encoding: 'UTF8',
  tables: [
    {
      schema: 'app',
      name: 'users',
      dumpId: 7,
      key: 'k',
      rows: 3,
      bytes: 6,
      ranges: [
        { blocks: [0, null], rows: 3, bytes: 6, crc32: '0000002a', sha256: 'a'.repeat(64), offset: 0, length: 26 },
      ],
    },
  ],
  largeObjects: { count: 0, bytes: 0, sha256: 'b'.repeat(64) },
  sequences: [],
  excluded: [],
  readByPolicy: [],
  notSeen: [],
  extensions: [],
  roles: [],
  objects: [],
};

describe('parseManifest', () => {
  test('a manifest of this version: read back as it was written', () => {
    expect(parseManifest('m', JSON.stringify(manifest))).toEqual(manifest);
  });

  test('a manifest of a later version: refused with both versions', () => {
    expect(() => parseManifest('m', JSON.stringify({ ...manifest, manifestVersion: 2 }))).toThrow(
      /manifestVersion is 2, this program reads 1/,
    );
  });

  test('rows are missing or negative: refused with the path', () => {
    const damaged = { ...manifest, tables: [{ ...manifest.tables[0], rows: -1 }] };

    expect(() => parseManifest('m', JSON.stringify(damaged))).toThrow(/tables\[0\]\.rows/);
  });

  test.each([
    ['a table without a range', { tables: [{ ...manifest.tables[0], ranges: [] }] }, /tables\[0\]\.ranges/],
    ['the format of an earlier version', { format: 'custom' }, /format/],
    [
      'a large object digest that is none',
      { largeObjects: { count: 0, bytes: 0, sha256: null } },
      /largeObjects\.sha256/,
    ],
    ['a field that nobody knows', { colour: 'red' }, /colour/],
  ])('%s: refused by name, not read as something else', (_, part, problem) => {
    expect(() => parseManifest('m', JSON.stringify({ ...manifest, ...part }))).toThrow(problem);
  });

  test.each(['', '{', 'null', '[]'])('the text is %j: refused, not read as an empty backup', (text) => {
    expect(() => parseManifest('m', text)).toThrow(/manifest "m" cannot be used/);
  });
});

describe('backupIdOf', () => {
  test('keys of backups, claims, runs and other databases: only those of a backup have an id', () => {
    const { manifest: key } = backupKeys('orders', '20261122T020000Z-2');

    expect(backupIdOf('orders', key)).toBe('20261122T020000Z-2');
    expect(backupIdOf('orders', claimKeys('orders', '20261122T020000Z', 1).claim)).toBeUndefined();
    expect(backupIdOf('order', key)).toBeUndefined();
    expect(backupIdOf('orders', 'orders/20261122T020000Z-9/manifest.json')).toBeUndefined();
  });
});

describe('TOOL_VERSION', () => {
  test('the version in every manifest: that of package.json', () => {
    expect(TOOL_VERSION).toBe(packageJson.version);
  });
});
