import { describe, expect, test } from 'vitest';
import { parseEvent } from '../../../functions/shared/job-event.ts';
import type { Verification } from '../../../functions/shared/verification.ts';
import { chooseSample } from '../../../functions/verify/choose-backup.ts';
import { verifyEvent } from '../../../functions/verify/contract.ts';
import { makeArchive } from '../../support/stored-archive.ts';

const event = (more: object) => parseEvent('verify', verifyEvent, { job: 'verify', ...more });
const ids = { backupId: '20261122T020000Z', verificationId: 'b5f2a3c4-0000-4000-8000-000000000000' };

describe('verifyEvent', () => {
  test('no step, a dry run, a sample, and the steps of the workflow: accepted', () => {
    expect(event({})).toEqual({ job: 'verify' });
    expect(event({ dryRun: true, sample: '2/7', backupId: '20261122T020000Z-2' }).sample).toBe('2/7');
    expect(event({ step: 'plan', executionId: 'arn:aws:states:eu-central-1:1:execution:a:b' }).step).toBe('plan');
    expect(event({ step: 'read', ...ids, group: 999 }).group).toBe(999);
    expect(event({ step: 'finish', ...ids }).step).toBe('finish');
  });

  test('a step without what it needs: each missing name is told', () => {
    expect(() => event({ step: 'read' })).toThrow(
      /backupId: is missing.*verificationId: is missing.*group: is missing; step "read" needs it/s,
    );
    expect(() => event({ step: 'finish', backupId: ids.backupId })).toThrow(/verificationId: is missing/);
  });

  test('ids that would become other keys, samples that are none, a dry run of a step: refused', () => {
    const wrong = [
      { backupId: '../orders' },
      { step: 'finish', ...ids, verificationId: 'a/b' },
      { step: 'read', ...ids, group: 1_000 },
      ...['0/7', '8/7', '1/1', '1/1001', '1', 'a/b'].map((sample) => ({ sample })),
      { step: 'plan', dryRun: true },
    ];
    for (const one of wrong) expect(() => event(one)).toThrow(/verify was started with an event/);
  });
});

describe('chooseSample', () => {
  const { manifest } = makeArchive({ database: 'orders', ...ids, codec: 'gzip', seed: 1 });
  const done = (...samples: [number, number][]) =>
    samples.map(([number, of]) => ({ outcome: 'sample ok', sample: { number, of } }) as Verification);
  const choose = (evidence: Verification[], samples: number | undefined, wanted?: string) =>
    chooseSample({ manifest, evidence }, samples, wanted);

  test('no samples are set, or one: everything is read', () => {
    expect(choose([], undefined)).toBeNull();
    expect(choose([], 1)).toBeNull();
  });

  test('seven samples: each run takes the next one that is not verified, until all are', () => {
    const evidence: Verification[] = [];
    for (let run = 0; run < 7; run += 1) {
      const { number = 0 } = choose(evidence, 7) ?? {};
      evidence.push(...done([number, 7]));
    }

    expect(new Set(evidence.map(({ sample }) => sample?.number))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]));
    expect(choose(evidence, 7)?.of).toBe(7);
  });

  test('the backups of seven days, each verified once: seven different samples', () => {
    const numbers = Array.from({ length: 7 }, (_, day) => {
      const takenAt = new Date(Date.UTC(2026, 10, 22 + day, 2)).toISOString();
      return chooseSample({ manifest: { ...manifest, takenAt }, evidence: [] }, 7, undefined)?.number;
    });

    expect(new Set(numbers).size).toBe(7);
  });

  test('samples of another division: not counted', () => {
    const { number = 0 } = choose([], 7) ?? {};
    expect(choose(done([number, 6]), 7)).toEqual({ number, of: 7 });
  });

  test('the event names a sample: that one', () => {
    expect(choose([], undefined, '2/7')).toEqual({ number: 2, of: 7 });
  });
});
