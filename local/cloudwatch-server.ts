// A CloudWatch stand-in on loopback for tests: GetMetricData of single metrics over the protocol that the SDK speaks (AWS JSON
// 1.0). A local night has no RDS instance, so it starts none.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { readJson, sendJson } from './aws-json.ts';

export interface CloudWatchServer {
  readonly endpoint: string;
  /** How often an operation was asked, refused ones counted. */
  requests(): number;
  stop(): Promise<void>;
}

export interface MetricSample {
  /** `AWS/RDS FreeStorageSpace DBInstanceIdentifier=orders-1`. */
  readonly metric: string;
  readonly at: Date;
  readonly value: number;
}

export interface CloudWatchSettings {
  readonly samples: readonly MetricSample[];
  /** For tests: an error instead of the answer, a dropped connection, or no answer at all. */
  readonly fault?: () => { status: number; code: string } | 'drop' | 'silence' | undefined;
}

class CloudWatchError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const TARGET = 'GraniteServiceVersion20100801.';
const name = z.string().min(1);
// Strict: a parameter that is not known here would be ignored silently, and a test would prove nothing.
const requestSchema = z.strictObject({
  /** Seconds since 1970. */
  StartTime: z.number(),
  EndTime: z.number(),
  ScanBy: z.enum(['TimestampDescending', 'TimestampAscending']).default('TimestampDescending'),
  MetricDataQueries: z
    .array(
      z.strictObject({
        Id: z.string().regex(/^[a-z][A-Za-z0-9_]*$/),
        MetricStat: z.strictObject({
          Metric: z.strictObject({
            Namespace: name,
            MetricName: name,
            Dimensions: z.array(z.strictObject({ Name: name, Value: name })).max(30),
          }),
          Period: z.int().min(60).multipleOf(60),
          Stat: z.enum(['Minimum', 'Maximum']),
        }),
      }),
    )
    .min(1)
    .max(500),
});

type MetricRequest = z.output<typeof requestSchema>;

/** Starts the server on any free port. */
export async function startCloudWatchServer(settings: CloudWatchSettings): Promise<CloudWatchServer> {
  let requests = 0;

  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = await readJson(incoming, (code, message) => new CloudWatchError(code, message));
    requests += 1;
    const fault = settings.fault?.();
    if (fault === 'drop') incoming.socket.destroy();
    else if (fault === 'silence') return;
    else if (fault !== undefined) throw new CloudWatchError(fault.code, `injected ${fault.code}`, fault.status);
    else sendJson(response, '1.0', 200, answer(settings.samples, incoming, body));
  };

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      const known =
        error instanceof CloudWatchError ? error : new CloudWatchError('InternalServiceFault', String(error), 500);
      // The SDK takes the code of this service from the header, as the older query protocol named it.
      response.setHeader('x-amzn-query-error', `${known.code};${known.status < 500 ? 'Sender' : 'Receiver'}`);
      sendJson(response, '1.0', known.status, {
        __type: `com.amazonaws.cloudwatch#${known.code}`,
        message: known.message,
      });
    });
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed).listen(0, '127.0.0.1', listening);
  });
  const address = server.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    requests: () => requests,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(samples: readonly MetricSample[], { headers }: IncomingMessage, body: unknown): object {
  if (!headers.authorization?.startsWith('AWS4-HMAC-SHA256 '))
    throw new CloudWatchError('MissingAuthenticationToken', 'the request is not signed', 403);
  if (headers['x-amz-target'] !== `${TARGET}GetMetricData`)
    throw new CloudWatchError(
      'InvalidAction',
      `"${String(headers['x-amz-target'])}" is not done by the local CloudWatch`,
    );
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) =>
      [...issue.path, ...('keys' in issue ? issue.keys : [])].join('.'),
    );
    throw new CloudWatchError('InvalidParameterValue', `not allowed here: ${fields.join('; ')}`);
  }
  const request = parsed.data;
  if (request.StartTime >= request.EndTime)
    throw new CloudWatchError('InvalidParameterCombination', 'StartTime must be before EndTime');
  return {
    Messages: [],
    MetricDataResults: request.MetricDataQueries.map((query) => resultOf(samples, request, query)),
  };
}

/** One value for each period that has samples, in the order that was asked for. */
function resultOf(
  samples: readonly MetricSample[],
  { StartTime, EndTime, ScanBy }: MetricRequest,
  { Id, MetricStat: { Metric, Period, Stat } }: MetricRequest['MetricDataQueries'][number],
): object {
  const dimensions = Metric.Dimensions.map(({ Name, Value }) => ` ${Name}=${Value}`).join('');
  const wanted = `${Metric.Namespace} ${Metric.MetricName}${dimensions}`;
  const periods = new Map<number, number>();
  for (const { metric, at, value } of samples) {
    const seconds = at.getTime() / 1_000;
    if (metric !== wanted || seconds < StartTime || seconds >= EndTime) continue;
    const start = Math.floor(seconds / Period) * Period;
    const before = periods.get(start) ?? value;
    periods.set(start, Stat === 'Minimum' ? Math.min(before, value) : Math.max(before, value));
  }
  const found = [...periods].toSorted(([a], [b]) => (ScanBy === 'TimestampAscending' ? a - b : b - a));
  return {
    Id,
    Label: Metric.MetricName,
    StatusCode: 'Complete',
    Timestamps: found.map(([start]) => start),
    Values: found.map(([, value]) => value),
  };
}
