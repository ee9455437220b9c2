// The backup workflow as two rows of a night, with stand-ins for its functions.
import { afterEach, expect, test } from 'vitest';
import { nightSteps } from '../../local/night/night-steps.ts';
import { createNightWorkflow } from '../../local/night/night-workflow.ts';
import { parseArguments } from '../../local/night/parse-arguments.ts';
import { readWorkflows } from '../../local/workflow/read-workflow.ts';
import { sampleDatabase, synthesize, templateOf } from '../infra/synthesized.ts';
import { type Behaviour, type FakeFunctions, fakeFunctions } from '../support/fake-functions.ts';

const BACKUP = '20261122T020000Z';
const workflows = readWorkflows(templateOf(synthesize([sampleDatabase()]), 'sample').toJSON()['Resources']);

const made: FakeFunctions[] = [];
afterEach(() => {
  for (const functions of made.splice(0)) functions.remove();
});

const fine: readonly Behaviour[] = [
  { job: 'backup', step: 'plan', answer: { mode: 'inline', backupId: null, groups: [], concurrency: 1 } },
  { job: 'backup', takes: 300, answer: { backupId: BACKUP, tables: 2, rows: 1_234, bytes: 5_000_000 } },
  {
    job: 'verify',
    step: 'plan',
    answer: { mode: 'inline', backupId: BACKUP, verificationId: 'v', groups: [], concurrency: 1 },
  },
  {
    job: 'verify',
    takes: 500,
    answer: { outcome: 'ok', state: 'verified', sample: null, objects: 4, rows: 1_234, bytes: 4_900_000 },
  },
];

/** The outcomes of the steps backup and verify, and what was shown of each while it worked. */
async function night(behaviours: readonly Behaviour[]) {
  const functions = fakeFunctions([...behaviours, ...fine]);
  made.push(functions);
  const options = parseArguments([], {});
  if (options === 'help') throw new Error('these are no options of a night');
  const steps = nightSteps(options, '2026-11-22T02:00:00.000Z').filter(
    ({ job }) => job === 'backup' || job === 'verify',
  );
  const world = {
    stack: { workflows, functions: { backup: functions.deployed('backup'), verify: functions.deployed('verify') } },
    environmentOf: () => functions.environment,
  };
  const nightWorkflow = createNightWorkflow();
  const { signal } = new AbortController();
  const outcomes = [];
  const shown: string[] = [];
  for (const step of steps) {
    const onProgress = (words: string) => shown.push(`${step.title} shows ${words}`);
    outcomes.push(await nightWorkflow.run(world, step, { onProgress, onLine: () => {}, signal }));
  }
  return { outcomes, shown };
}

test('both end well: two rows, each with its own figures, time and progress', async () => {
  const { outcomes, shown } = await night([]);
  const [backup, verify] = outcomes;

  expect(outcomes.map(({ job, outcome }) => [job, outcome])).toEqual([
    ['backup', 'ok'],
    ['verify', 'ok'],
  ]);
  expect(backup?.figures).toBe('2 tables, 1,234 rows, 5.0 MB in S3');
  expect(backup?.answer['backupId']).toBe(BACKUP);
  expect(verify?.figures).toBe('ok, 4 objects read back, 1,234 rows, 4.9 MB');
  expect(backup?.durationMs).toBeGreaterThan(290);
  expect(verify?.durationMs).toBeGreaterThan(490);
  expect(backup?.durationMs).toBeLessThan((verify?.durationMs ?? 0) + 200);
  expect(shown).toEqual(expect.arrayContaining(['backup shows backup: worked', 'verify shows verify: worked']));
});

test('both are made by steps: the rows and the progress say so', async () => {
  const groups = [0, 1];
  const { outcomes, shown } = await night([
    { job: 'backup', step: 'plan', answer: { mode: 'distributed', backupId: BACKUP, groups, concurrency: 2 } },
    { job: 'backup', step: 'copy', answer: { pass: 2, done: true } },
    { job: 'backup', step: 'finish', answer: { backupId: BACKUP, tables: 2, rows: 1_234, bytes: 5_000_000 } },
  ]);

  expect(outcomes.map(({ figures }) => figures)).toEqual([
    '2 tables, 1,234 rows, 5.0 MB in S3, copied in 2 steps',
    'ok, 4 objects read back, 1,234 rows, 4.9 MB',
  ]);
  expect(shown).toEqual(
    expect.arrayContaining(['backup shows backup plan: worked', 'backup shows backup copy 1: worked']),
  );
});

test('the backup fails: its row has the reason, and verify was not run', async () => {
  const failure = { name: 'JobFailure', message: 'the server is gone' };
  const { outcomes } = await night([{ job: 'backup', failing: 9, failure }]);

  expect(outcomes).toEqual([
    expect.objectContaining({ outcome: 'failed', figures: 'JobFailure: the server is gone' }),
    expect.objectContaining({ outcome: 'not run', figures: 'the workflow did not come to it' }),
  ]);
});

test('the verification fails: the backup stays ok, and the row of verify has the reason', async () => {
  const failure = { name: 'JobFailure', message: 'a range is damaged' };
  const { outcomes } = await night([{ job: 'verify', failing: 9, failure }]);

  expect(outcomes).toEqual([
    expect.objectContaining({ outcome: 'ok', figures: '2 tables, 1,234 rows, 5.0 MB in S3' }),
    expect.objectContaining({ outcome: 'failed', figures: 'JobFailure: a range is damaged' }),
  ]);
});
