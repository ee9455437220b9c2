// Stand-ins for the functions of a workflow: small handlers that run as real local Lambda processes, answer as a test
// tells them to, and write down each call.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobName } from '../../functions/shared/jobs.ts';
import { type Invoked, invokeFunction } from '../../local/lambda/invoke-function.ts';
import type { DeployedFunction } from '../../local/template/read-functions.ts';
import type { WorkflowTask } from '../../local/workflow/run-workflow.ts';

/** What a function does for a call; the first entry that fits is taken. */
export interface Behaviour {
  /** The call: the job, and whatever of step, group, pass and holder the event must have. */
  job: JobName;
  step?: string;
  group?: number;
  pass?: number;
  holder?: string;
  answer?: object;
  /** Of the calls that fit, one after the other; the last one stays. */
  answers?: readonly object[];
  /** How long it works, in milliseconds. */
  takes?: number;
  /** This many calls that fit fail, the ones after them answer. */
  failing?: number;
  /** This many calls that fit answer, the ones after them fail. */
  failingAfter?: number;
  /** How they fail: by throwing an error of this name, by ending the process, or by never answering. */
  failure?: { name: string; message: string } | 'exit' | 'hang';
}

/** One call as the function has seen it; `endedAt` is undefined when it did not end by itself. */
export interface Call {
  event: Readonly<Record<string, unknown>>;
  startedAt: number;
  endedAt: number | undefined;
}

export interface FakeFunctions {
  /** The function of a job as a deployed one, with its environment. */
  deployed(job: JobName): DeployedFunction;
  environment: Record<string, string>;
  invoke(task: WorkflowTask, signal?: AbortSignal): Promise<Invoked>;
  /** All calls so far in the order of their start. */
  calls(): Call[];
  /** `backup plan`, `backup copy 3/1`, `verify`, …: the calls in short. */
  names(): string[];
  remove(): void;
}

const HANDLER = `
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
const behaviours = JSON.parse(readFileSync(process.env.BEHAVIOURS, 'utf8'));
const fits = (one, event) => ['job', 'step', 'group', 'pass', 'holder'].every((key) => (key in one ? one[key] === event[key] : key !== 'step' || event.step === undefined));
export async function handler(event, { awsRequestId: id }) {
  const note = (line) => appendFileSync(process.env.CALLS, JSON.stringify({ id, ...line }) + '\\n');
  const index = behaviours.findIndex((one) => fits(one, event));
  const behaviour = behaviours[index];
  note({ event, index, at: Date.now() });
  const calls = readFileSync(process.env.CALLS, 'utf8').trim().split('\\n').map((line) => JSON.parse(line));
  const number = calls.filter((one) => one.event && one.index === index).length;
  if (!behaviour) throw new Error('no behaviour for ' + JSON.stringify(event));
  await sleep(behaviour.takes ?? 0);
  if (number <= (behaviour.failing ?? 0) || number > (behaviour.failingAfter ?? Infinity)) {
    if (behaviour.failure === 'exit') process.exit(3);
    if (behaviour.failure === 'hang') await sleep(60_000);
    note({ ended: true, at: Date.now() });
    throw Object.assign(new Error(behaviour.failure.message), { name: behaviour.failure.name });
  }
  note({ ended: true, at: Date.now() });
  console.log(JSON.stringify({ event: event.job + '.worked' }));
  return behaviour.answers?.[Math.min(number, behaviour.answers.length) - 1] ?? behaviour.answer ?? {};
}
`;

interface Line {
  id: string;
  event?: Record<string, unknown>;
  at: number;
}

/** Makes the functions; `timeoutMs` is the limit of each call. */
export function fakeFunctions(behaviours: readonly Behaviour[], timeoutMs = 20_000): FakeFunctions {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-fake-'));
  const callsFile = join(folder, 'calls.jsonl');
  writeFileSync(join(folder, 'index.mjs'), HANDLER);
  const behavioursFile = join(folder, 'behaviours.json');
  writeFileSync(callsFile, '');
  writeFileSync(behavioursFile, JSON.stringify(behaviours));
  const environment = { BEHAVIOURS: behavioursFile, CALLS: callsFile };
  const calls = (): Call[] => {
    const lines = readFileSync(callsFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Line => JSON.parse(line));
    return lines.flatMap(({ id, event, at }) =>
      event ? [{ event, startedAt: at, endedAt: lines.find((one) => one.id === id && !one.event)?.at }] : [],
    );
  };
  const deployed = (job: JobName) => ({
    job,
    folder,
    handler: 'index.handler',
    timeoutMs,
    memoryMiB: 128,
    environment: {},
  });
  return {
    deployed,
    environment,
    invoke: async ({ job, event }, signal) =>
      await invokeFunction(deployed(job), environment, event, signal ? { signal } : {}),
    calls,
    names: () => calls().map(({ event }) => nameOf(event)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function nameOf(event: Readonly<Record<string, unknown>>): string {
  const { group, pass } = event;
  const place = typeof group === 'number' ? `${group}${typeof pass === 'number' ? `/${pass}` : ''}` : undefined;
  const words: unknown[] = [event['job'], event['step'], place, event['holder']];
  return words.filter((word) => typeof word === 'string').join(' ');
}

/** The most calls with this step that were at work at the same time. */
export function mostAtOnce(calls: readonly Call[], step: string): number {
  const of = calls.filter(({ event }) => event['step'] === step);
  return Math.max(
    0,
    ...of.map(
      ({ startedAt }) =>
        of.filter((one) => one.startedAt <= startedAt && (one.endedAt ?? Number.POSITIVE_INFINITY) > startedAt).length,
    ),
  );
}
