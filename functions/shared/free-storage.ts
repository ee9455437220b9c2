// Free storage of an RDS instance, which only CloudWatch knows: no SQL sees the disk of the server. The only file that imports
// the CloudWatch client.
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { Clock } from './clock.ts';
import { describeError } from './job-failure.ts';

/** What was seen, or why nothing was: could-not-look is never a number. */
export type FreeStorage = { bytes: number; measuredAt: Date } | { bytes: undefined; why: string };

/** RDS sends the metric every minute (RDS user guide, "Monitoring metrics with CloudWatch"). */
const PERIOD_SECONDS = 60;
/** CloudWatch may show a minute late; what is older than this says nothing about now. */
const OLDEST_MINUTES = 15;
const ANSWER_TIMEOUT_MS = 4_000;

/**
 * The newest FreeStorageSpace of the last 15 minutes; region, endpoint and credentials come from the standard AWS variables.
 *
 * Any failure is an answer with its reason; only the abort of `signal` throws. Gives up after 3 tries of 4 s.
 */
export async function readFreeStorage(
  instanceId: string,
  {
    clock,
    signal,
    answerTimeoutMs = ANSWER_TIMEOUT_MS,
  }: { clock: Clock; signal: AbortSignal; answerTimeoutMs?: number },
): Promise<FreeStorage> {
  const now = clock.now();
  // A VPC without a way to CloudWatch does not refuse: it is silent.
  const client = new CloudWatchClient({
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: answerTimeoutMs,
      requestTimeout: answerTimeoutMs,
      throwOnRequestTimeout: true,
    },
  });
  const query = new GetMetricDataCommand({
    StartTime: new Date(now.getTime() - OLDEST_MINUTES * 60_000),
    EndTime: now,
    ScanBy: 'TimestampDescending',
    MetricDataQueries: [
      {
        Id: 'free',
        MetricStat: {
          Metric: {
            Namespace: 'AWS/RDS',
            MetricName: 'FreeStorageSpace',
            Dimensions: [{ Name: 'DBInstanceIdentifier', Value: instanceId }],
          },
          Period: PERIOD_SECONDS,
          Stat: 'Minimum',
        },
      },
    ],
  });
  try {
    const { MetricDataResults: [result] = [] } = await client.send(query, { abortSignal: signal });
    const [bytes] = result?.Values ?? [];
    const [measuredAt] = result?.Timestamps ?? [];
    if (bytes !== undefined && measuredAt !== undefined) return { bytes, measuredAt };
    const status = result?.StatusCode === 'Complete' ? '' : ` (status ${result?.StatusCode ?? 'missing'})`;
    return {
      bytes: undefined,
      why: `CloudWatch has no FreeStorageSpace of instance "${instanceId}" of the last ${OLDEST_MINUTES} minutes${status}`,
    };
  } catch (error) {
    signal.throwIfAborted();
    const words = error instanceof Error ? `${error.name}: ${describeError(error)}` : describeError(error);
    return { bytes: undefined, why: `CloudWatch did not tell it of instance "${instanceId}": ${words}` };
  } finally {
    client.destroy();
  }
}
