import { describe, expect, test } from 'vitest';
import { chooseMigrations } from '../../functions/migrate/choose-migrations.ts';
import { migrateEventSchema } from '../../functions/migrate/contract.ts';
import { parseEvent } from '../../functions/shared/job-event.ts';
import type { Migration } from '../../functions/shared/migration-files.ts';

const header = { irreversibleBecause: undefined, allows: [], batches: [], statementTimeoutMs: undefined };
const script = { file: '', statements: [], checksum: '', header };
const migration = (number: number): Migration => ({
  number,
  name: `m${number}`,
  up: script,
  down: script,
  irreversibleBecause: undefined,
});
const state = {
  applied: [1, 2].map(migration),
  pending: [3, 4].map(migration),
  changed: [],
  halfDone: undefined,
  planHash: undefined,
};
const chosen = (event: { action: 'up' | 'down'; to?: number }) =>
  chooseMigrations(state, event).migrations.map(({ number }) => number);

describe('chooseMigrations', () => {
  test.each([
    [{ action: 'up' }, [3, 4]],
    [{ action: 'up', to: 3 }, [3]],
    [{ action: 'up', to: 2 }, []],
    [{ action: 'down' }, [2]],
    [{ action: 'down', to: 0 }, [2, 1]],
    [{ action: 'down', to: 2 }, []],
  ] as const)('%j: runs %j', (event, numbers) => {
    expect(chosen(event)).toEqual(numbers);
  });

  test.each([
    [{ action: 'up', to: 1 }, 'up was asked to go to 1, but must go to 2 to 4'],
    [{ action: 'up', to: 5 }, 'up was asked to go to 5, but must go to 2 to 4'],
    [{ action: 'down', to: 3 }, 'down was asked to go to 3, but must go to 0 to 2'],
  ] as const)('%j: event.wrong with the allowed range', (event, problem) => {
    expect(() => chosen(event)).toThrow(expect.objectContaining({ code: 'event.wrong', problem }));
  });
});

describe('the event of migrate', () => {
  test.each([
    [{ job: 'migrate', action: 'up' }, 'requestedBy'],
    [{ job: 'migrate', action: 'down', requestedBy: ' ' }, 'requestedBy'],
    [{ job: 'migrate', action: 'status', to: 3 }, 'status takes no target'],
    [{ job: 'migrate', action: 'up', requestedBy: 'ada', dryrun: true }, 'dryrun'],
    [{ job: 'migrate', action: 'redo', requestedBy: 'ada' }, 'action'],
    [{ job: 'migrate', action: 'up', requestedBy: 'ada', to: -1 }, 'to'],
    [{ job: 'migrate' }, 'action'],
  ])('%j: event.wrong names %s', (event, name) => {
    expect(() => parseEvent('migrate', migrateEventSchema, event)).toThrow(
      expect.objectContaining({ code: 'event.wrong', problem: expect.stringContaining(name) }),
    );
  });
});
