import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { backupStoreSettings, databaseSettings } from '../../functions/shared/environment.ts';
import { jobEventSchema } from '../../functions/shared/job-event.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { jobHandler, STOP_BEFORE_DEADLINE_MS } from '../../functions/shared/job-handler.ts';
import { METRIC_NAMESPACE, metrics } from '../../functions/shared/metrics.ts';
import { type RunRecord, runRecordSchema } from '../../functions/shared/run-record.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';

const settings = { DATABASE_NAME: databaseSettings.DATABASE_NAME, ...backupStoreSettings } as const;
const lambda = { awsRequestId: 'run-1', getRemainingTimeInMillis: () => 900_000 };
const event = { job: 'report', scheduledTime: '2026-11-22T06:00:00Z' };

let aws: LocalAws;

beforeAll(async () => {
  aws = await startLocalAws();
  Object.assign(process.env, { DATABASE_NAME: 'shop', BACKUP_BUCKET: BUCKET });
});

afterEach(() => {
  vi.restoreAllMocks();
  aws.setFault(undefined);
});

afterAll(async () => {
  delete process.env['DATABASE_NAME'];
  delete process.env['BACKUP_BUCKET'];
  await aws.stop();
});

/** A handler whose job is the given function, and the JSON lines that it wrote. */
function handlerOf(run: Parameters<typeof jobHandler>[0]['run'], recorded?: () => boolean) {
  const lines: Record<string, unknown>[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => keep(text));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => keep(text));
  function keep(text: unknown): boolean {
    for (const line of String(text)
      .split('\n')
      .filter((one) => one.startsWith('{')))
      lines.push(JSON.parse(line));
    return true;
  }
  const handler = jobHandler({
    job: 'report',
    settings,
    event: jobEventSchema('report', {}),
    run,
    ...(recorded && { recorded }),
  });
  return {
    handler,
    lines,
    events: () => lines.flatMap((line) => (typeof line['event'] === 'string' ? [line['event']] : [])),
  };
}

function records(): RunRecord[] {
  const folder = join(aws.bucketFolder, 'shop/runs/report');
  return readdirSync(folder)
    .toSorted()
    .map((name) => runRecordSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
}

describe('jobHandler', () => {
  test('the job ends well: one started and one finished line, whose fields equal the answer and the run record', async () => {
    const { handler, lines, events } = handlerOf(async () => ({ verdict: 'ok', count: 3 }));

    const answer = await handler(event, lambda);

    expect(events()).toEqual(['report.started', 'report.finished']);
    expect(lines.find((line) => line['event'] === 'report.finished')).toMatchObject({
      ...answer,
      job: 'report',
      database: 'shop',
      run_id: 'run-1',
      level: 'INFO',
    });
    expect(records().at(-1)).toMatchObject({ runId: 'run-1', outcome: 'ok', result: answer, failure: null });
  });

  test('the job ends well: JobFinished is one EMF line with exactly the dimensions Database and Job', async () => {
    const { handler, lines } = handlerOf(async () => ({}));

    await handler(event, { ...lambda, awsRequestId: 'run-2' });

    const emf = lines.find((line) => '_aws' in line);
    expect(emf).toMatchObject({ JobFinished: 1, Database: 'shop', Job: 'report' });
    expect(JSON.stringify(emf?.['_aws'])).toContain(
      `"Namespace":"${METRIC_NAMESPACE}","Dimensions":[["Database","Job"]]`,
    );
  });

  test('the job fails: one failed line with code and hint, a run record, no JobFinished, and the error is rethrown', async () => {
    const failure = new JobFailure({ code: 'drill.different', problem: 'p', safeState: 's', hint: 'h' });
    const { handler, lines, events } = handlerOf(async () => await Promise.reject(failure));

    await expect(handler(event, { ...lambda, awsRequestId: 'run-3' })).rejects.toBe(failure);

    expect(events()).toEqual(['report.started', 'report.failed']);
    expect(lines.some((line) => 'JobFinished' in line)).toBe(false);
    expect(records().find(({ runId }) => runId === 'run-3')).toMatchObject({
      outcome: 'failed',
      failure: { code: 'drill.different', hint: 'h' },
    });
  });

  test('the run record of a run that ended well cannot be stored: the run counts as failed', async () => {
    const { handler, events } = handlerOf(async () => ({}));
    aws.setFault(({ key }) => (key.includes('/runs/') ? { status: 403, code: 'AccessDenied' } : undefined));

    await expect(handler(event, { ...lambda, awsRequestId: 'run-4' })).rejects.toThrow(/AccessDenied/);

    expect(events()).toEqual(['report.started', 'report.failed']);
  });

  test('S3 stored the run record but its answer was lost: the run that ended well stays one', async () => {
    const { handler, events } = handlerOf(async () => ({}));
    let dropped = 0;
    aws.setFault(({ key }) => {
      if (!key.includes('/runs/') || dropped > 0) return undefined;
      dropped += 1;
      return 'drop-answer';
    });

    await handler(event, { ...lambda, awsRequestId: 'run-9' });

    expect(dropped).toBe(1);
    expect(events()).toEqual(['report.started', 'report.finished']);
    expect(records().find(({ runId }) => runId === 'run-9')).toMatchObject({ outcome: 'ok' });
  });

  test('the job fails and its run record cannot be stored: the reason of the job is what is rethrown', async () => {
    const { handler, events } = handlerOf(async () => await Promise.reject(new Error('the reason')));
    aws.setFault(({ key }) => (key.includes('/runs/') ? { status: 403, code: 'AccessDenied' } : undefined));

    await expect(handler(event, { ...lambda, awsRequestId: 'run-5' })).rejects.toThrow('the reason');

    expect(events()).toEqual(['report.started', 'report.failed', 'run_record.not_stored']);
  });

  test('settings are missing: nothing is started, and the failure says which', async () => {
    const { handler, events } = handlerOf(async () => ({}));
    delete process.env['BACKUP_BUCKET'];

    await expect(handler(event, lambda)).rejects.toThrow(/BACKUP_BUCKET is not set/);
    process.env['BACKUP_BUCKET'] = BUCKET;

    expect(events()).toEqual(['report.failed']);
  });

  test('a dry run ends well: no JobFinished, so that it cannot hide that the real run is missing', async () => {
    const { handler, lines } = handlerOf(async () => ({}));

    await handler({ ...event, dryRun: true }, { ...lambda, awsRequestId: 'run-6' });

    expect(lines.some((line) => 'JobFinished' in line)).toBe(false);
  });

  test('the deadline of the function comes near: the signal is aborted with a failure that says so', async () => {
    const { handler } = handlerOf(async ({ signal }) => {
      for (let waited = 0; waited < 100; waited += 1) {
        signal.throwIfAborted();
        await sleep(20);
      }
      return {};
    });
    const context = { awsRequestId: 'run-7', getRemainingTimeInMillis: () => STOP_BEFORE_DEADLINE_MS + 100 };

    await expect(handler(event, context)).rejects.toMatchObject({ code: 'job.out_of_time' });
  });

  test('a secret gets into a log field: it is printed as [redacted]', async () => {
    const { handler, lines } = handlerOf(async ({ log }) => {
      log.info('test.secret_logged', { password: new SecretText('hunter2') });
      return {};
    });

    await handler(event, { ...lambda, awsRequestId: 'run-8' });

    expect(JSON.stringify(lines)).toContain('[redacted]');
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });
});

describe('metrics', () => {
  test('the list of all metric names: at most 30, because CloudWatch bills each', () => {
    expect(Object.keys(metrics).length).toBeLessThanOrEqual(30);
  });
});
