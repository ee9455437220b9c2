// The backup workflow from the template, run on this machine with stand-ins for its functions (real processes).
import { afterEach, describe, expect, test } from 'vitest';
import { readWorkflows } from '../../local/workflow/read-workflow.ts';
import { runWorkflow, type WorkflowRun } from '../../local/workflow/run-workflow.ts';
import { sampleDatabase, synthesize, templateOf } from '../infra/synthesized.ts';
import { type Behaviour, type FakeFunctions, fakeFunctions, mostAtOnce } from '../support/fake-functions.ts';

const INPUT = { job: 'backup', scheduledTime: '2026-11-22T02:00:00Z' };
const BACKUP = '20261122T020000Z';
const VERIFICATION = 'verify-1';

function workflowWith(snapshotHolder: 'server' | 'relay') {
  const synthesized = synthesize([sampleDatabase({ backup: { snapshotHolder } })]);
  return readWorkflows(templateOf(synthesized, 'sample').toJSON()['Resources']).backup;
}

const workflow = workflowWith('server');
const relay = workflowWith('relay');

const made: FakeFunctions[] = [];
afterEach(() => {
  for (const functions of made.splice(0)) functions.remove();
});

const planOf = (mode: string, groups: readonly number[] = [], concurrency = 1): Behaviour => ({
  job: 'backup',
  step: 'plan',
  answer: { mode, backupId: mode === 'inline' ? null : BACKUP, estimatedBytes: 1, groups, concurrency },
});

const verifyOf = (mode: string, groups: readonly number[] = []): Behaviour => ({
  job: 'verify',
  step: 'plan',
  answer: { mode, backupId: BACKUP, verificationId: VERIFICATION, groups, concurrency: 2 },
});

const copyOf = (more: Partial<Behaviour>, pass = 1, done = true): Behaviour => ({
  job: 'backup',
  step: 'copy',
  answer: { backupId: BACKUP, group: 0, pass: pass + 1, done },
  ...more,
});

/** Every step that a test does not care about ends well. */
const fine: readonly Behaviour[] = [
  copyOf({}),
  { job: 'backup', step: 'finish', answer: { backupId: BACKUP } },
  { job: 'backup', answer: { backupId: BACKUP } },
  {
    job: 'backup',
    step: 'abort',
    failing: 9,
    failure: { name: 'JobFailure', message: 'backup failed and was undone' },
  },
  { job: 'backup', step: 'hold', answer: { backupId: BACKUP, done: true } },
  verifyOf('inline'),
  { job: 'verify' },
  { job: 'verify', step: 'read' },
  { job: 'verify', step: 'finish' },
];

interface Ran extends WorkflowRun {
  functions: FakeFunctions;
}

async function run(
  behaviours: readonly Behaviour[],
  more: { workflow?: typeof workflow; input?: object; timeoutMs?: number } = {},
): Promise<Ran> {
  const functions = fakeFunctions([...behaviours, ...fine], more.timeoutMs);
  made.push(functions);
  const { signal } = new AbortController();
  const ran = await runWorkflow(
    more.workflow ?? workflow,
    { ...INPUT, ...more.input },
    {
      invoke: async (task) => await functions.invoke(task),
      signal,
      pauseMs: 10,
    },
  );
  return { ...ran, functions };
}

describe('a backup that fits into one function', () => {
  test('it is planned, made and verified; each step knows the execution, and the backup what the schedule said', async () => {
    const { functions, outcome, executionId } = await run([planOf('inline')], { input: { requestedBy: 'ana' } });

    expect(outcome).toEqual({ ok: true, output: { backupId: BACKUP } });
    expect(functions.calls().map(({ event }) => event)).toEqual([
      { ...INPUT, requestedBy: 'ana', step: 'plan', executionId },
      { ...INPUT, requestedBy: 'ana', executionId },
      { job: 'verify', step: 'plan', executionId, backupId: BACKUP },
      { job: 'verify', executionId, backupId: BACKUP, verificationId: 'verify-1' },
    ]);
    expect(executionId).toMatch(/^arn:aws:states:eu-central-1:000000000000:execution:nightshift-sample-backup:/);
  });

  test('it fails: it is neither started again nor aborted, because it undoes itself, and nothing is verified', async () => {
    const failure = { name: 'JobFailure', message: 'the server is gone' };
    const { functions, outcome } = await run([planOf('inline'), { job: 'backup', failing: 9, failure }]);

    expect(functions.names()).toEqual(['backup plan', 'backup']);
    expect(outcome).toMatchObject({ ok: false, error: 'JobFailure' });
    expect(JSON.stringify(outcome)).toContain('the server is gone');
  });

  test('an earlier delivery has made it: only its verification is made up for', async () => {
    const { functions, outcome } = await run([planOf('made'), verifyOf('verified')]);

    expect(functions.names()).toEqual(['backup plan', 'verify plan']);
    expect(outcome).toEqual({ ok: true, output: { backupId: BACKUP } });
  });
});

describe('a distributed backup', () => {
  test('groups are copied beside each other up to the concurrency of the plan, finish comes last, then all is read back', async () => {
    const { functions, outcome, executionId } = await run([
      planOf('distributed', [0, 1, 2, 3], 2),
      copyOf({ takes: 300 }),
      verifyOf('distributed', [0, 1]),
    ]);
    const names = functions.names();

    expect(outcome.ok).toBe(true);
    expect(mostAtOnce(functions.calls(), 'copy')).toBe(2);
    expect(names.slice(1, 5).toSorted()).toEqual([0, 1, 2, 3].map((group) => `backup copy ${group}/1`));
    expect(names.slice(5, 7)).toEqual(['backup finish', 'verify plan']);
    expect(names.slice(7).toSorted()).toEqual(['verify finish', 'verify read 0', 'verify read 1']);
    expect(names.at(-1)).toBe('verify finish');
    const [copy] = functions.calls().filter(({ event }) => event['step'] === 'copy');
    expect(copy?.event).toEqual({
      job: 'backup',
      step: 'copy',
      executionId,
      backupId: BACKUP,
      group: expect.any(Number),
      pass: 1,
    });
    expect(functions.calls().at(-1)?.event).toEqual({
      job: 'verify',
      step: 'finish',
      executionId,
      backupId: BACKUP,
      verificationId: VERIFICATION,
    });
  });

  test('a group that runs out of time: it is started again with the pass that it answered, until it is done', async () => {
    const { functions, outcome } = await run([
      planOf('distributed', [0, 1], 2),
      copyOf({ group: 1, pass: 1 }, 1, false),
      copyOf({ group: 1, pass: 2 }, 2, false),
      copyOf({ group: 1, pass: 3 }, 3, true),
    ]);

    expect(outcome.ok).toBe(true);
    expect(functions.names().filter((name) => name.startsWith('backup copy 1'))).toEqual([
      'backup copy 1/1',
      'backup copy 1/2',
      'backup copy 1/3',
    ]);
  });

  test.each([
    ['throws', { name: 'JobFailure', message: 'S3 answered 503' }],
    ['dies', 'exit'],
  ] as const)('a copy that %s twice: it is started again and the backup ends well', async (_, failure) => {
    const { functions, outcome } = await run([planOf('distributed', [0]), copyOf({ failing: 2, failure })]);

    expect(outcome.ok).toBe(true);
    expect(functions.names().filter((name) => name === 'backup copy 0/1')).toHaveLength(3);
  });

  test('a copy that fails for good: it is aborted with the cause, no further group is begun, nothing is finished or verified', async () => {
    const failure = { name: 'JobFailure', message: 'the snapshot is gone' };
    const { functions, outcome, executionId } = await run([
      planOf('distributed', [0, 1, 2, 3, 4, 5], 2),
      copyOf({ group: 0, failing: 9, failure }),
      copyOf({ takes: 1_200 }),
    ]);
    const names = functions.names();

    expect(names).not.toContain('backup finish');
    expect(names).not.toContain('verify plan');
    expect(names.filter((name) => name.startsWith('backup copy'))).toEqual(
      expect.arrayContaining(['backup copy 0/1', 'backup copy 1/1']),
    );
    expect(names.filter((name) => name.startsWith('backup copy 0'))).toHaveLength(3);
    expect(new Set(names.filter((name) => name.startsWith('backup copy'))).size).toBe(2);
    const [abort] = functions.calls().filter(({ event }) => event['step'] === 'abort');
    expect(abort?.event).toMatchObject({ job: 'backup', executionId, backupId: BACKUP });
    expect(JSON.parse(String(abort?.event['cause']))).toMatchObject({
      errorType: 'JobFailure',
      errorMessage: 'the snapshot is gone',
    });
    expect(outcome).toMatchObject({ ok: false });
    expect(JSON.stringify(outcome)).toContain('backup failed and was undone');
  });

  test('finish fails: it is not started again but aborted; that abort answers in place of failing changes nothing', async () => {
    const failure = { name: 'JobFailure', message: 'group 1 is missing' };
    const { functions, outcome } = await run([
      planOf('distributed', [0]),
      { job: 'backup', step: 'finish', failing: 9, failure },
      { job: 'backup', step: 'abort' },
    ]);

    expect(functions.names()).toEqual(['backup plan', 'backup copy 0/1', 'backup finish', 'backup abort']);
    expect(outcome).toMatchObject({ ok: false, error: 'BackupFailed' });
  });

  test('finish is ended without an answer: it is started again and goes on', async () => {
    const { functions, outcome } = await run([
      planOf('distributed', [0]),
      { job: 'backup', step: 'finish', failing: 1, failure: 'exit', answer: { backupId: BACKUP } },
    ]);

    expect(outcome.ok).toBe(true);
    expect(functions.names().filter((name) => name === 'backup finish')).toHaveLength(2);
  });

  test('a step that passes the time limit of its function: it is told as Lambda tells it', async () => {
    const { functions, outcome } = await run([planOf('inline'), { job: 'backup', failing: 9, failure: 'hang' }], {
      timeoutMs: 1_500,
    });

    expect(outcome).toMatchObject({ ok: false, error: 'Sandbox.Timedout' });
    expect(functions.names()).toEqual(['backup plan', 'backup']);
  });
});

describe('planning', () => {
  test('it fails: it is not tried again; abort leaves the record of it, without a backup to undo', async () => {
    const failure = { name: 'JobFailure', message: 'the previous backup still runs' };
    const { functions, outcome, executionId } = await run([{ ...planOf('distributed'), failing: 9, failure }]);

    expect(functions.names()).toEqual(['backup plan', 'backup abort']);
    expect(functions.calls()[1]?.event).toEqual({
      job: 'backup',
      step: 'abort',
      executionId,
      cause: expect.stringContaining('the previous backup still runs'),
    });
    expect(outcome.ok).toBe(false);
  });

  test('Lambda could not take the call: it is tried again', async () => {
    const failure = { name: 'Lambda.TooManyRequestsException', message: 'Rate Exceeded.' };
    const { functions, outcome } = await run([{ ...planOf('inline'), failing: 2, failure }]);

    expect(outcome.ok).toBe(true);
    expect(functions.names()).toEqual(['backup plan', 'backup plan', 'backup plan', 'backup', 'verify plan', 'verify']);
  });

  test('an answer that Step Functions would refuse for its size: the run says so', async () => {
    const groups = Array.from({ length: 50_000 }, (_, index) => index);
    const { functions, outcome } = await run([planOf('distributed', groups)]);

    expect(functions.names()).toEqual(['backup plan']);
    expect(outcome).toMatchObject({ ok: false, error: 'States.DataLimitExceeded' });
  });
});

describe('verification', () => {
  test('it finds damage: the workflow fails, and the backup is not aborted', async () => {
    const failure = { name: 'JobFailure', message: 'range 3 of app.orders is damaged' };
    const { functions, outcome } = await run([planOf('inline'), { job: 'verify', failing: 9, failure }]);

    expect(functions.names()).toEqual(['backup plan', 'backup', 'verify plan', 'verify']);
    expect(JSON.stringify(outcome)).toContain('range 3 of app.orders is damaged');
    expect(outcome.ok).toBe(false);
  });

  test('a read step fails twice: it is read again', async () => {
    const failure = { name: 'JobFailure', message: 'S3 answered 503' };
    const { functions, outcome } = await run([
      planOf('made'),
      verifyOf('distributed', [7]),
      { job: 'verify', step: 'read', failing: 2, failure },
    ]);

    expect(outcome.ok).toBe(true);
    expect(functions.names()).toEqual([
      'backup plan',
      'verify plan',
      ...Array.from({ length: 3 }, () => 'verify read 7'),
      'verify finish',
    ]);
  });
});

describe('a relay', () => {
  const relayed = [{ ...planOf('distributed', [0, 1], 2), takes: 50 }];

  test('two holders work beside the copying, each again until the backup has ended', async () => {
    const { functions, outcome, executionId } = await run(
      [
        ...relayed,
        copyOf({ takes: 600 }),
        { job: 'backup', step: 'hold', holder: 'first', takes: 1_000, answer: { backupId: BACKUP, done: true } },
        { job: 'backup', step: 'hold', holder: 'second', takes: 600, answer: { backupId: BACKUP, done: true } },
      ],
      { workflow: relay },
    );
    const names = functions.names();

    expect(outcome).toEqual({ ok: true, output: { backupId: BACKUP } });
    expect(names.filter((name) => name === 'backup plan')).toHaveLength(2);
    expect(functions.calls().filter(({ event }) => event['step'] === 'plan')[1]?.event).toEqual({
      job: 'backup',
      step: 'plan',
      executionId,
      backupId: BACKUP,
    });
    expect(functions.calls().find(({ event }) => event['holder'] === 'second')?.event).toEqual({
      job: 'backup',
      step: 'hold',
      executionId,
      backupId: BACKUP,
      holder: 'second',
    });
    const holdFirst = functions.calls().find(({ event }) => event['holder'] === 'first');
    const finish = functions.calls().find(({ event }) => event['step'] === 'finish');
    expect(holdFirst?.startedAt).toBeLessThan(finish?.startedAt ?? 0);
    expect(names.indexOf('verify plan')).toBe(names.length - 2);
  });

  test('a holder whose shift is over: it is started again', async () => {
    // The fake answers one thing for all calls, so the first shift is told by an error that Lambda itself makes.
    const throttled = { name: 'Lambda.TooManyRequestsException', message: 'Rate Exceeded.' };
    const { functions, outcome } = await run(
      [...relayed, { job: 'backup', step: 'hold', failing: 2, failure: throttled, answer: { done: true } }],
      { workflow: relay },
    );

    expect(outcome.ok).toBe(true);
    expect(functions.names().filter((name) => name.startsWith('backup hold'))).toHaveLength(4);
  });

  test('a holder fails: no group is begun any more and the backup is aborted', async () => {
    const failure = { name: 'JobFailure', message: 'the snapshot was lost' };
    const { functions, outcome } = await run(
      [
        ...relayed,
        copyOf({ takes: 1_500 }, 1, false),
        { job: 'backup', step: 'hold', holder: 'first', failing: 9, failure },
        { job: 'backup', step: 'hold', takes: 1_000, answer: { done: true } },
      ],
      { workflow: relay },
    );
    const names = functions.names();

    expect(names.filter((name) => name.startsWith('backup copy')).every((name) => name.endsWith('/1'))).toBe(true);
    expect(names).not.toContain('backup finish');
    expect(names).toContain('backup abort');
    expect(JSON.stringify(outcome)).toContain('backup failed and was undone');
  });
});

describe('an aborted run', () => {
  test('it ends at once, with every function that was at work', async () => {
    const functions = fakeFunctions([planOf('distributed', [0, 1, 2], 3), copyOf({ takes: 30_000 }), ...fine]);
    made.push(functions);
    const stop = new AbortController();
    const running = runWorkflow(workflow, INPUT, {
      invoke: async (task) => await functions.invoke(task, stop.signal),
      signal: stop.signal,
    });
    while (functions.names().length < 4) await new Promise((resolve) => setTimeout(resolve, 20));

    const abortedAt = Date.now();
    stop.abort();
    const { outcome } = await running;

    expect(outcome).toMatchObject({ ok: false, error: 'ExecutionAbortedError' });
    expect(Date.now() - abortedAt).toBeLessThan(2_000);
    expect(functions.names()).toHaveLength(4);
  });
});
