// What a pause changes: no schedule starts, and no alarm of silence tells anybody.
import { describe, expect, test } from 'vitest';
import { propertiesOf, sampleDatabase, synthesize, templateOf } from './synthesized.ts';

const alone = synthesize([sampleDatabase()]);

describe('pausedUntil', () => {
  const schedules = (until: string) => synthesize([sampleDatabase({ pausedUntil: until })]);

  test('a date ahead: no schedule starts, no NotRunning alarm and none of an age tells anybody, and synth warns with the date', () => {
    const paused = schedules('2026-12-31');
    const template = templateOf(paused, 'sample');

    const states = propertiesOf(template, 'AWS::Scheduler::Schedule').map(({ State }) => State);
    expect(new Set(states)).toEqual(new Set(['DISABLED']));
    const silent = propertiesOf(template, 'AWS::CloudWatch::Alarm').filter(({ ActionsEnabled }) => !ActionsEnabled);
    expect(silent).toHaveLength(13);
    for (const { AlarmName } of silent)
      expect(AlarmName).toMatch(/-(notrunning|too-old|rpo-not-met|half-done|purge-lag|purge-backlog)$/);
    expect(paused.warnings['sample']?.join()).toContain('paused until 2026-12-31');
  });

  test('a date that has come: the template is the one without it', () => {
    const over = schedules('2026-11-22');

    expect(templateOf(over, 'sample').toJSON()).toEqual(templateOf(alone, 'sample').toJSON());
    expect(over.warnings['sample']?.join()).not.toContain('paused');
  });
});
