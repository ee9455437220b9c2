import { describe, expect, test } from 'vitest';
import { chooseEntries } from '../../../functions/shared/restore/choose-entries.ts';
import type { RestoreOutcome } from '../../../functions/shared/restore/run-restore.ts';
import { describeBackup, describeMissingRoles, describeOutcome } from '../../../local/restore/describe-restore.ts';
import { describePlan } from '../../../local/restore/print-plan.ts';
import { openedArchive } from '../../support/opened-archive.ts';
import { makeArchive } from '../../support/stored-archive.ts';

const { manifest } = makeArchive({ database: 'orders', backupId: '20261122T020000Z', codec: 'gzip', seed: 1 });
const whole = { schemas: [], tables: [], part: 'all' } as const;

function outcome(more: Partial<RestoreOutcome> = {}): RestoreOutcome {
  return { isDone: true, forbidden: [], leftOut: [], rows: 1_234_567, tables: 3, largeObjects: 0, ...more };
}

describe('describeBackup', () => {
  const now = new Date('2026-11-22T07:30:00Z');

  test.each([
    ['candidate', 'NOT verified'],
    ['verified', 'verified: all of it was read back'],
    ['drilled', 'drilled: it was restored and compared'],
    ['broken', 'BROKEN'],
  ] as const)('%s: how far it is proven, its age and size', (state, expected) => {
    const text = describeBackup({ manifest, state, passedOver: [] }, now);

    expect(text).toContain(
      `Backup 20261122T020000Z of "orders", taken at 2026-11-22T02:00:01.000Z (5 h ago), ${expected}`,
    );
    expect(text).toContain('PostgreSQL 15.18, 5 tables, ');
  });

  test('newer backups that are not proven: each is named', () => {
    const passedOver = [
      { backupId: '20261124T020000Z', state: 'candidate' },
      { backupId: '20261123T020000Z', state: 'broken' },
    ] as const;

    expect(describeBackup({ manifest, state: 'verified', passedOver }, now).split('\n').slice(2)).toEqual([
      'Passed over: the newer backup 20261124T020000Z, NOT verified: nobody has read it back yet',
      'Passed over: the newer backup 20261123T020000Z, BROKEN: a verification or its newest drill found differences',
    ]);
  });
});

describe('describeMissingRoles', () => {
  test('with owners or privileges: what fails, and both ways out', () => {
    const text = describeMissingRoles(['a', 'b'], { noOwner: true, noPrivileges: false });

    expect(text).toContain('lacks roles of the backup: "a", "b"; what names them will fail');
    expect(text).toContain('--no-owner --no-privileges');
  });

  test('without either: only policies', () => {
    expect(describeMissingRoles(['a'], { noOwner: true, noPrivileges: true })).toContain(
      'only policies that name one will fail',
    );
  });
});

describe('describeOutcome', () => {
  const says = (
    more: Partial<RestoreOutcome>,
    selection: Parameters<typeof describeOutcome>[2]['selection'],
    of = manifest,
  ) => describeOutcome(outcome(more), of, { selection, durationMs: 65_000 });

  test('the whole database: amounts, time, and what is not in an archive', () => {
    expect(says({ largeObjects: 2 }, whole)).toBe(
      [
        'Restored 3 tables, 1,234,567 rows, 2 large objects in 65 s; every COPY had the rows and checksums of the manifest',
        'Not restored: settings and privileges of the database itself, passwords of roles (docs/restore.md says how)',
      ].join('\n'),
    );
  });

  test('one table: in the singular, and nothing about the database', () => {
    expect(says({ tables: 1, rows: 1 }, { ...whole, tables: [{ schema: 'a', name: 'b' }] })).toBe(
      'Restored 1 table, 1 row in 65 s; every COPY had the rows and checksums of the manifest',
    );
  });

  test('definitions alone: no word about rows that were not restored', () => {
    expect(says({ tables: 0, rows: 0 }, { ...whole, part: 'schema-only' })).toMatch(
      /^Restored the definitions, and no rows, in 65 s\n/,
    );
  });

  test('rows alone of tables: that sequences were left', () => {
    expect(says({}, { schemas: [], tables: [{ schema: 'a', name: 'b' }], part: 'data-only' })).toContain(
      '\nSequences were left as they are',
    );
    expect(says({}, { schemas: ['a'], tables: [], part: 'data-only' })).not.toContain('Sequences');
  });

  test('what was left out or is not in the backup: each by name', () => {
    const text = says({ leftOut: ['FK CONSTRAINT "a"."b"'] }, whole, {
      ...manifest,
      excluded: ['rows of table c'],
      notSeen: ['subscription d'],
    });

    expect(text).toContain('needs tables that were not chosen:\n  FK CONSTRAINT "a"."b"');
    expect(text).toContain('because a filter left it out:\n  rows of table c');
    expect(text).toContain('cannot see it; make it by hand:\n  subscription d');
  });
});

describe('describePlan', () => {
  test('kinds with their number, and the tables with the largest first', () => {
    const archive = openedArchive('15', { ranges: { docs: 3 }, bytes: { docs: 1_000 } });

    const [kinds, sum, first, ...others] = describePlan(chooseEntries(archive, whole), archive.manifest);

    expect(kinds).toMatch(/^ {2}1 SCHEMA, 1 EXTENSION, .*17 TABLE DATA/);
    expect(sum).toBe('  17 tables, 19 rows, 4.5 KiB of COPY text:');
    expect(first).toBe('    "public"."docs"  3 rows  2.9 KiB  3 ranges');
    expect(others).toHaveLength(16);
    expect(others[0]).toMatch(/ 1 row {2}100 B {2}1 range$/);
  });

  test('one table of two that belong together: what is left out', () => {
    const archive = openedArchive('15');
    const chosen = chooseEntries(archive, { ...whole, tables: [{ schema: 'public', name: 'child' }] });

    expect(describePlan(chosen, archive.manifest).slice(-2)).toEqual([
      '  left out, because it needs tables that were not chosen: FK CONSTRAINT "public"."child child_doc_fkey"',
      '  left out, because it needs tables that were not chosen: FK CONSTRAINT "public"."child child_gen_a_fkey"',
    ]);
  });
});
