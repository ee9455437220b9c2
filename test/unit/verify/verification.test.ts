import { describe, expect, test } from 'vitest';
import { addRowDigests } from '../../../functions/shared/archive-data/row-digest.ts';
import {
  parseVerification,
  type Sample,
  type Verification,
  type VerifiedLargeObject,
  verifiedState,
  verifiedTables,
} from '../../../functions/shared/verification.ts';
import { makeArchive, sha256 } from '../../support/stored-archive.ts';

const contents = [9, 50_001].map((oid) => ({ oid, content: Buffer.from(`content of ${oid}`) }));
const { manifest } = makeArchive({
  database: 'orders',
  backupId: '20261122T020000Z',
  codec: 'gzip',
  seed: 1,
  tables: [
    { name: 'orders', ranges: ['1\n2\n', '3\n'] },
    { name: 'empty', ranges: [''] },
  ],
  largeObjects: contents,
});
const largeObjects = contents.map(({ oid, content }) => ({ oid, bytes: content.length, sha256: sha256(content) }));
const digests = ['1', '2'].map((digit) => digit.repeat(32));

function evidence(more: Partial<Verification>): Verification {
  return {
    verificationVersion: 1,
    database: 'orders',
    backupId: manifest.backupId,
    runId: 'run',
    toolVersion: '0.1.0',
    startedAt: '2026-11-22T03:00:00.000Z',
    finishedAt: '2026-11-22T03:01:00.000Z',
    outcome: 'ok',
    sample: null,
    read: { objects: 1, bytes: 1, rows: 1 },
    tables: [],
    largeObjects: null,
    findings: [],
    findingCount: 0,
    ...more,
  };
}

function sampleOk(sample: Sample, objects: VerifiedLargeObject[] = [], more: Partial<Verification> = {}): Verification {
  return evidence({ outcome: 'sample ok', sample, largeObjects: objects, ...more });
}

describe('verifiedState', () => {
  test('no evidence, or only that of another backup: candidate', () => {
    expect(verifiedState(manifest, [])).toBe('candidate');
    expect(verifiedState(manifest, [evidence({ backupId: '20261121T020000Z' })])).toBe('candidate');
    expect(verifiedState(manifest, [evidence({ backupId: '20261121T020000Z', outcome: 'damaged' })])).toBe('candidate');
  });

  test('read whole and found good: verified', () => {
    expect(verifiedState(manifest, [evidence({})])).toBe('verified');
  });

  test('damaged once, before or after it was found good: broken', () => {
    const [good, bad] = [evidence({}), evidence({ outcome: 'damaged' })];
    expect(verifiedState(manifest, [good, bad])).toBe('broken');
    expect(verifiedState(manifest, [bad, good])).toBe('broken');
  });

  test('samples: verified only when all of one division are good', () => {
    const [first, second] = largeObjects.map((one, index) => sampleOk({ number: index + 1, of: 2 }, [one]));
    if (!first || !second) throw new Error('two samples');
    expect(verifiedState(manifest, [first])).toBe('candidate');
    expect(verifiedState(manifest, [first, first])).toBe('candidate');
    expect(verifiedState(manifest, [first, sampleOk({ number: 2, of: 3 }), sampleOk({ number: 3, of: 3 })])).toBe(
      'candidate',
    );
    expect(verifiedState(manifest, [second, first])).toBe('verified');
    expect(verifiedState(manifest, [second, first, evidence({ outcome: 'damaged' })])).toBe('broken');
  });

  test('all samples are good but the large objects together are others than the manifest counts: broken', () => {
    const all = [sampleOk({ number: 1, of: 2 }, largeObjects.slice(0, 1)), sampleOk({ number: 2, of: 2 })];
    expect(verifiedState(manifest, all)).toBe('broken');
  });
});

describe('verifiedTables', () => {
  const part = (ranges: number, rows: number, digest = '') => ({
    schema: 'app',
    name: 'orders',
    ranges,
    rows,
    bytes: rows * 2,
    digest,
  });

  test('a backup that is not verified: undefined', () => {
    expect(verifiedTables(manifest, [])).toBeUndefined();
    expect(verifiedTables(manifest, [evidence({}), evidence({ outcome: 'damaged' })])).toBeUndefined();
  });

  test('samples: the digests of a table are added up', () => {
    const [one = '', two = ''] = digests;
    const all = [
      sampleOk({ number: 2, of: 2 }, largeObjects.slice(1), { tables: [part(1, 1, two)] }),
      sampleOk({ number: 1, of: 2 }, largeObjects.slice(0, 1), { tables: [part(1, 2, one)] }),
    ];

    const tables = verifiedTables(manifest, all);

    const { digest } = addRowDigests({ rows: 0, digest: one }, { rows: 0, digest: two });
    expect(tables?.[0]).toEqual({ schema: 'app', name: 'orders', ranges: 2, rows: 3, bytes: 6, digest });
    expect(tables).toHaveLength(2);
  });

  test('one verification of everything: its digests, also when there are samples besides', () => {
    const [one = ''] = digests;
    const whole = evidence({ tables: [part(2, 3, one)] });
    expect(verifiedTables(manifest, [sampleOk({ number: 1, of: 2 }), whole])?.[0]).toEqual(part(2, 3, one));
  });
});

describe('parseVerification', () => {
  test('what was written: read again', () => {
    expect(parseVerification('key', JSON.stringify(evidence({})))).toEqual(evidence({}));
  });

  test('half a record, an unknown version, another outcome: refused with the key', () => {
    const wrong = ['{', JSON.stringify({ ...evidence({}), verificationVersion: 2 }), '{"outcome":"fine"}'];
    for (const text of wrong) {
      expect(() => parseVerification('orders/b/verified/run.json', text)).toThrow(
        /the evidence "orders\/b\/verified\/run\.json" cannot be used: .*Nothing is said about the backup/,
      );
    }
  });
});
