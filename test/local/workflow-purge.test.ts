// The workflow of purge from the template, run on this machine with a stand-in for its function (a real process), alone and as a
// step of a night.
import { afterEach, describe, expect, test } from 'vitest';
import { nightSteps } from '../../local/night/night-steps.ts';
import { parseArguments } from '../../local/night/parse-arguments.ts';
import { isPassJob, runPassWorkflow } from '../../local/night/pass-workflow.ts';
import { checkDefinition } from '../../local/workflow/check-definition.ts';
import { readWorkflows } from '../../local/workflow/read-workflow.ts';
import { runWorkflow } from '../../local/workflow/run-workflow.ts';
import { sampleDatabase, synthesize, templateOf } from '../infra/synthesized.ts';
import { type Behaviour, type FakeFunctions, fakeFunctions } from '../support/fake-functions.ts';
import { policyAnswer, purgeAnswer } from '../support/purge-answers.ts';

const INPUT = { job: 'purge', scheduledTime: '2026-11-22T03:30:00.000Z' };
const workflows = readWorkflows(templateOf(synthesize([sampleDatabase()]), 'sample').toJSON()['Resources']);

const made: FakeFunctions[] = [];
afterEach(() => {
  for (const functions of made.splice(0)) functions.remove();
});

/** The answer of one pass, as its contract wants it. */
function answer(
  state: 'paused' | 'stopped' | 'finished',
  rowsDone: number,
  { waitSeconds = 0, policy = 'old-orders', complete = state === 'finished' } = {},
) {
  const pause = state === 'paused' ? { reason: 'a replica is 40 s behind', seconds: waitSeconds } : null;
  return purgeAnswer([policyAnswer({ policy, state, pause, rowsDone })], { complete, waitSeconds });
}

/** The passes one after the other: each call gets the next answer, and the last one stays. */
const passes = (...answers: object[]): Behaviour[] => [{ job: 'purge', answers }];

/** The functions, removed after the test. */
function functionsOf(behaviours: readonly Behaviour[]): FakeFunctions {
  const functions = fakeFunctions(behaviours);
  made.push(functions);
  return functions;
}

async function run(behaviours: readonly Behaviour[], input: object = INPUT) {
  const functions = functionsOf(behaviours);
  const { outcome, executionId } = await runWorkflow(
    workflows.purge,
    { ...input },
    { invoke: async (task) => await functions.invoke(task), signal: new AbortController().signal, pauseMs: 10 },
  );
  return { outcome, pass: { ...INPUT, executionId }, events: functions.calls().map(({ event }) => event) };
}

/** The step of a night; what it shows is kept. */
async function night(behaviours: readonly Behaviour[]) {
  const functions = functionsOf(behaviours);
  const options = parseArguments([], {});
  if (options === 'help') throw new Error('these are no options of a night');
  const step = nightSteps(options, INPUT.scheduledTime).find(({ job }) => job === 'purge');
  if (step === undefined) throw new Error('the night has no purge');
  const world = {
    stack: {
      workflows,
      functions: { purge: functions.deployed('purge'), 'restore-drill': functions.deployed('restore-drill') },
    },
    environmentOf: () => functions.environment,
  };
  const shown: string[] = [];
  const watch = {
    onProgress: (words: string) => shown.push(words),
    onLine: () => {},
    signal: new AbortController().signal,
  };
  const outcome = await runPassWorkflow(world, 'purge', step, watch);
  return { step, outcome, shown, events: functions.calls().map(({ event }) => event) };
}

describe('the workflow of purge', () => {
  test('it pauses, is out of time, and comes to its end: three passes with the same event, and one good end', async () => {
    const { outcome, pass, events } = await run(
      passes(answer('paused', 10, { waitSeconds: 45 }), answer('stopped', 20), answer('finished', 5)),
    );

    expect(checkDefinition(workflows.purge.definition)).toBe(workflows.purge.definition);
    expect(events).toEqual([pass, pass, pass]);
    expect(outcome).toEqual({ ok: true, output: { complete: true, waitSeconds: 0, rowsDone: 5 } });
  });

  test('the process of a pass ends without an answer: it is started again and goes on', async () => {
    const { outcome, pass, events } = await run([
      { job: 'purge', failing: 1, failure: 'exit', answer: answer('finished', 5) },
    ]);

    expect(events).toEqual([pass, pass]);
    expect(outcome).toMatchObject({ ok: true });
  });

  test('the function fails: it is not tried again, and the execution says where to look and what stays', async () => {
    const failure = { name: 'JobFailure', message: 'policy "old-orders" has no index' };
    const { outcome, events } = await run([{ job: 'purge', failing: 9, failure }]);

    expect(events).toHaveLength(1);
    expect(outcome).toMatchObject({ ok: false, error: 'PurgeFailed' });
    expect(JSON.stringify(outcome)).toMatch(/purge\.failed in the log .* nightshift\.purge_run/);
  });

  test('a dry run: refused before the function is started', async () => {
    const { outcome, events } = await run([], { job: 'purge', dryRun: true });

    expect(events).toEqual([]);
    expect(outcome).toMatchObject({ ok: false, error: 'WrongInput' });
  });
});

describe('purge as a step of a night', () => {
  test('it takes one pass: the row has its figures, and what it said while it worked was shown', async () => {
    const { step, outcome, shown, events } = await night(passes(answer('finished', 1_234)));

    expect([step.by, isPassJob(step.job)]).toEqual(['workflow', true]);
    expect(events).toEqual([{ ...INPUT, executionId: expect.stringContaining(':execution:nightshift-sample-purge:') }]);
    expect(outcome).toMatchObject({ outcome: 'ok', figures: '1,234 rows past retention deleted by 1 policy' });
    expect(shown).toEqual(['purge: worked']);
  });

  test('it takes three passes: the row has each policy once, as its last pass tells it', async () => {
    const { outcome } = await night(
      passes(
        answer('finished', 30, { policy: 'old-users', complete: false }),
        answer('stopped', 1_000),
        answer('finished', 1_204),
      ),
    );

    expect(outcome).toMatchObject({ outcome: 'ok', figures: '1,234 rows past retention deleted by 2 policies' });
  });

  test('the second pass fails: the row has the reason that the function gave', async () => {
    const failure = { name: 'JobFailure', message: 'the server is gone' };
    const { outcome } = await night([{ job: 'purge', answers: [answer('stopped', 7)], failingAfter: 1, failure }]);

    expect(outcome).toMatchObject({ outcome: 'failed', figures: 'JobFailure: the server is gone' });
  });
});
