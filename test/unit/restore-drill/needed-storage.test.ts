import { describe, expect, test } from 'vitest';
import { sizeOf } from '../../../functions/restore-drill/check-storage.ts';
import type { BackupManifest } from '../../../functions/shared/backup-manifest.ts';

type Sized = Pick<BackupManifest, 'tables' | 'largeObjects'>;

function manifest(tables: { rows: number; bytes: number }[], largeBytes = 0): Sized {
  return {
    tables: tables.map((sizes, index) => ({
      schema: 'app',
      name: `t${index}`,
      dumpId: index + 1,
      key: `${index}.dat.gz`,
      ranges: [],
      ...sizes,
    })),
    largeObjects: { count: 1, bytes: largeBytes, sha256: '0'.repeat(64) },
  };
}

describe('sizeOf', () => {
  test('the source cannot be asked: COPY text, 28 bytes for the head of each row, and large objects', () => {
    const rows = manifest([
      { rows: 10, bytes: 1_000 },
      { rows: 1, bytes: 5 },
    ]);

    expect(sizeOf({ ...rows, largeObjects: { count: 1, bytes: 4_000, sha256: '' } }, null)).toEqual({
      bytes: 1_000 + 280 + 5 + 28 + 4_000,
      from: 'the rows and large objects of the backup, without indexes',
    });
  });

  test('the source is larger than the rows of the backup, as with indexes: its size counts', () => {
    expect(sizeOf(manifest([{ rows: 1, bytes: 100 }]), '8000000')).toEqual({
      bytes: 8_000_000,
      from: 'the size of the database that is backed up',
    });
  });

  test('the source has shrunk since the backup: the rows of the backup count', () => {
    expect(sizeOf(manifest([], 9_000_000), '8000000').bytes).toBe(9_000_000);
  });
});
