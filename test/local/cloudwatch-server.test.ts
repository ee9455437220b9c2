// The CloudWatch stand-in over the real SDK, and how free storage is read from it.
import { CloudWatchClient, GetMetricDataCommand, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../functions/shared/clock.ts';
import { readFreeStorage } from '../../functions/shared/free-storage.ts';
import { type CloudWatchSettings, type MetricSample, startCloudWatchServer } from '../../local/cloudwatch-server.ts';

const METRIC = 'AWS/RDS FreeStorageSpace DBInstanceIdentifier=orders-1';
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);
const sample = (minutes: number, value: number): MetricSample => ({ metric: METRIC, at: minutesAgo(minutes), value });

async function start(settings: Partial<CloudWatchSettings> = {}) {
  const server = await startCloudWatchServer({ samples: [], ...settings });
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_CLOUDWATCH: server.endpoint,
  });
  const client = new CloudWatchClient({ maxAttempts: 1 });
  onTestFinished(async () => {
    client.destroy();
    await server.stop();
    delete process.env['AWS_ENDPOINT_URL_CLOUDWATCH'];
  });
  const read = async (instanceId = 'orders-1', signal = new AbortController().signal) =>
    await readFreeStorage(instanceId, { clock: systemClock, signal, answerTimeoutMs: 200 });
  return { server, client, read };
}

describe('readFreeStorage', () => {
  test('several minutes have a value: the newest counts, with its time', async () => {
    const { read, server } = await start({ samples: [sample(9, 900), sample(2, 200), sample(5, 500)] });

    const free = await read();

    expect(free).toMatchObject({ bytes: 200 });
    expect(server.requests()).toBe(1);
    const { measuredAt } = free as { measuredAt: Date };
    expect(Math.abs(measuredAt.getTime() - minutesAgo(2).getTime())).toBeLessThan(60_000);
  });

  test('nothing is free: that is a value, not a missing one', async () => {
    const { read } = await start({ samples: [sample(1, 0)] });

    expect(await read()).toMatchObject({ bytes: 0 });
  });

  test.each([
    ['the only value is an hour old', [sample(60, 500)]],
    ['another instance has values', [{ ...sample(1, 500), metric: METRIC.replace('orders-1', 'orders-2') }]],
    ['there is none', []],
  ])('%s: unknown, with the instance', async (_, samples) => {
    const { read } = await start({ samples });

    expect(await read()).toEqual({
      bytes: undefined,
      why: 'CloudWatch has no FreeStorageSpace of instance "orders-1" of the last 15 minutes',
    });
  });

  test('the role may not ask: unknown, with the code of the refusal, and not asked twice', async () => {
    const { read, server } = await start({ fault: () => ({ status: 403, code: 'AccessDenied' }) });

    expect(await read()).toEqual({
      bytes: undefined,
      why: 'CloudWatch did not tell it of instance "orders-1": AccessDenied: injected AccessDenied',
    });
    expect(server.requests()).toBe(1);
  });

  test('CloudWatch is silent, as in a VPC without a way to it: unknown after three tries', async () => {
    const { read, server } = await start({ fault: () => 'silence' });

    const free = await read();

    expect(free).toMatchObject({ bytes: undefined, why: expect.stringMatching(/"orders-1": TimeoutError: /) });
    expect(server.requests()).toBe(3);
  });

  test('CloudWatch fails once, or drops the connection: the next try is answered', async () => {
    const faults: ReturnType<NonNullable<CloudWatchSettings['fault']>>[] = [
      { status: 503, code: 'ServiceUnavailable' },
      'drop',
    ];
    const { read, server } = await start({ samples: [sample(1, 100)], fault: () => faults.shift() });

    expect(await read()).toMatchObject({ bytes: 100 });
    expect(server.requests()).toBe(3);
  });

  test('the run is out of time: its own reason is thrown, and not taken for an answer', async () => {
    const { read } = await start({ fault: () => 'silence' });
    const run = new AbortController();
    const reading = read('orders-1', run.signal);

    run.abort(new Error('out of time'));

    await expect(reading).rejects.toThrow('out of time');
  });
});

describe('the stand-in', () => {
  const query = {
    StartTime: minutesAgo(15),
    EndTime: new Date(),
    MetricDataQueries: [
      {
        Id: 'free',
        MetricStat: { Metric: { Namespace: 'AWS/RDS', MetricName: 'X', Dimensions: [] }, Period: 60, Stat: 'Minimum' },
      },
    ],
  };

  test('an operation or a parameter is not known: refused with a code', async () => {
    const { client } = await start();

    await expect(client.send(new ListMetricsCommand({}))).rejects.toMatchObject({ name: 'InvalidAction' });
    const limited = new GetMetricDataCommand({ ...query, MaxDatapoints: 1 });
    await expect(client.send(limited)).rejects.toThrow('not allowed here: MaxDatapoints');
  });

  test('the times are the wrong way round: refused', async () => {
    const { client } = await start();

    const turned = new GetMetricDataCommand({ ...query, StartTime: query.EndTime, EndTime: query.StartTime });
    await expect(client.send(turned)).rejects.toMatchObject({ name: 'InvalidParameterCombinationException' });
  });

  test('a request is not signed, or no JSON: refused', async () => {
    const { server } = await start();
    const target = { 'x-amz-target': 'GraniteServiceVersion20100801.GetMetricData' };

    const unsigned = await fetch(server.endpoint, { method: 'POST', headers: target, body: '{}' });
    const broken = await fetch(server.endpoint, { method: 'POST', headers: target, body: '{' });

    expect([unsigned.status, broken.status]).toEqual([403, 400]);
    expect(await unsigned.text()).toContain('MissingAuthenticationToken');
    expect(await broken.text()).toContain('SerializationException');
  });
});
