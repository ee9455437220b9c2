import { describe, expect, test } from 'vitest';
import { type KeptSettings, lastCopyUntil, stillHeldBy } from '../../../functions/purge/certificate/kept-until.ts';

const held = (end: string, kept: Partial<KeptSettings>, hasArchive = true) =>
  stillHeldBy(
    new Date(end),
    { backupsKeptDays: 30, pitrDays: 7, archiveKeptDays: 90, ...kept },
    { action: 'delete', hasArchive },
  );

describe('stillHeldBy', () => {
  test.each([
    ['over the end of February of a leap year', '2028-02-10T03:00:00Z', 30, '2028-03-11T03:00:00.000Z'],
    ['over the end of February of another year', '2027-02-10T03:00:00Z', 30, '2027-03-12T03:00:00.000Z'],
    ['from a 29 February for a year', '2028-02-29T03:00:00Z', 366, '2029-03-01T03:00:00.000Z'],
    [
      'over a year that is no leap year although it divides by four',
      '2099-12-31T00:00:00Z',
      60,
      '2100-03-01T00:00:00.000Z',
    ],
    ['where a day of the clock has 23 hours in Berlin', '2026-03-28T01:30:00Z', 1, '2026-03-29T01:30:00.000Z'],
    ['a part of a day', '2026-11-22T00:00:00Z', 0.2, '2026-11-23T00:00:00.000Z'],
  ])('backups %s: the day is right', (_, end, backupsKeptDays, until) => {
    expect(held(end, { backupsKeptDays }).backupsUntil).toBe(until);
  });

  test('point-in-time recovery and the archive end a day later than their days: the server and S3 need it', () => {
    expect(held('2026-11-22T03:00:00Z', {})).toMatchObject({
      pitrUntil: '2026-11-30T03:00:00.000Z',
      archiveUntil: '2027-02-21T03:00:00.000Z',
    });
  });

  test('not known: unknown, never none, and no date after which no copy holds them', () => {
    const result = held('2026-11-22T03:00:00Z', { backupsKeptDays: null, pitrDays: null, archiveKeptDays: null });

    expect(result).toMatchObject({ backupsUntil: 'unknown', pitrUntil: 'unknown', archiveUntil: 'unknown' });
    expect(lastCopyUntil(result)).toBe('unknown');
    expect(result.statement).toBe(
      'The removed rows may be restored from backups, by point-in-time recovery of the server or from the archive of this purge for a time that is not known, so no date can be given after which no copy holds them.',
    );
  });

  test('no archive was made: none, whatever its days would be', () => {
    expect(held('2026-11-22T03:00:00Z', { archiveKeptDays: null }, false).archiveUntil).toBe('none');
  });

  test('all dates known: the sentence ends with the last of them', () => {
    const result = held('2026-11-22T03:00:00Z', {});

    expect(lastCopyUntil(result)).toBe('2027-02-21T03:00:00.000Z');
    expect(result.statement).toBe(
      'The removed rows can still be restored from backups until 22 Dec 2026, by point-in-time recovery of the server until 30 Nov 2026 and from the archive of this purge until 21 Feb 2027; after 21 Feb 2027 no copy that Nightshift knows of holds them.',
    );
  });

  test('one copy without an end, one not known: both are said, and that one stays', () => {
    const result = held('2026-11-22T03:00:00Z', { backupsKeptDays: 'for ever', pitrDays: null }, false);

    expect(lastCopyUntil(result)).toBe('for ever');
    expect(result.statement).toBe(
      'The removed rows can still be restored from backups without an end; they may be restored by point-in-time recovery of the server for a time that is not known, so at least one copy stays until somebody deletes it.',
    );
  });

  test('everything is switched off: none, and that is said', () => {
    const result = held('2026-11-22T03:00:00Z', { backupsKeptDays: 0, pitrDays: 0 }, false);

    expect(lastCopyUntil(result)).toBe('none');
    expect(result.statement).toBe(
      'The removed rows are in no backup, recovery window or archive that Nightshift knows of.',
    );
  });

  test('thousands of years: for ever, as no date can say it; days below zero are refused', () => {
    expect(held('2026-11-22T03:00:00Z', { backupsKeptDays: 3_652_500 }).backupsUntil).toBe('for ever');
    expect(() => held('2026-11-22T03:00:00Z', { backupsKeptDays: -1 })).toThrow(RangeError);
    expect(() => held('2026-11-22T03:00:00Z', { backupsKeptDays: Number.NaN })).toThrow(RangeError);
  });
});
