// Starts one client (ours or a peer), waits for its end and measures it. Ctrl-C kills it.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { type RunUsage, startMeter } from '../measure/start-meter.ts';
import type { BundledFunction } from './bundle-handler.ts';
import type { PeerCommand } from './peer-commands.ts';

export interface Measured {
  /** From the start of the process to its end. */
  wallSeconds: number;
  usage: RunUsage;
}

export interface Watched {
  serverProcessId: number;
  sinkProcessId: number | undefined;
  signal: AbortSignal;
}

const LAST_LINES = 5;
/** As long as Lambda lets a function run. */
const FUNCTION_TIMEOUT_MS = 900_000;

/** Runs a program to its end; throws when its exit code is not 0. */
export async function runProgram(
  command: Pick<PeerCommand, 'program' | 'args' | 'environment'>,
  watched: Watched,
): Promise<Measured> {
  const nowhere = openSync('/dev/null', 'w');
  const measured = await measure(watched, () => {
    const child = spawn(command.program, command.args, {
      env: command.environment,
      stdio: ['ignore', nowhere, 'pipe'],
    });
    closeSync(nowhere);
    return child;
  });
  if (measured.end !== 'code 0')
    throw new Error(`${command.program} ended with ${measured.end}: ${measured.lastWords}`);
  return { wallSeconds: measured.wallSeconds, usage: measured.usage };
}

export interface Answered extends Measured {
  answer: Record<string, unknown>;
  /** As the function itself logs it: without the start of the process and the loading of the code. Null if it did not. */
  functionSeconds: number | null;
}

type Reply = { result: Record<string, unknown> } | { error: { name: string; message: string; code?: string } };

/** Runs the bundled function once, in a process of its own as the local night does; throws its failure. */
export async function runFunction(
  invocation: { bundled: BundledFunction; environment: Readonly<Record<string, string>>; event: object },
  watched: Watched,
): Promise<Answered> {
  let reply: Reply | undefined;
  const measured = await measure(watched, () => {
    const child = fork(invocation.bundled.launcher, {
      env: { ...invocation.environment },
      cwd: invocation.bundled.folder,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), FUNCTION_TIMEOUT_MS);
    child.once('exit', () => clearTimeout(timer));
    child.once('message', (message: Reply) => {
      reply = message;
    });
    child.send({
      folder: invocation.bundled.folder,
      handler: 'index.handler',
      event: invocation.event,
      requestId: randomUUID(),
      deadline: Date.now() + FUNCTION_TIMEOUT_MS,
    });
    return child;
  });
  const { end, lastWords, wallSeconds, usage } = measured;
  if (reply === undefined) throw new Error(`the function ended with ${end} and without an answer: ${lastWords}`);
  if ('error' in reply)
    throw new Error(`the function failed: ${reply.error.code ?? reply.error.name}: ${reply.error.message}`);
  if (end !== 'code 0') throw new Error(`the process of the function ended with ${end} after its answer: ${lastWords}`);
  const durationMs = /"duration_ms":(\d+)/.exec(measured.finishedLine)?.[1];
  const functionSeconds = durationMs === undefined ? null : Number(durationMs) / 1000;
  return { wallSeconds, usage, answer: reply.result, functionSeconds };
}

/** `end` is `code <n>` or `signal <name>`. After Ctrl-C the client is killed, and this throws. */
async function measure(
  { serverProcessId, sinkProcessId, signal }: Watched,
  start: () => ChildProcess,
): Promise<Measured & { end: string; lastWords: string; finishedLine: string }> {
  signal.throwIfAborted();
  const meter = startMeter(serverProcessId, sinkProcessId);
  const startedMs = performance.now();
  const child = start();
  const lines = keepLastLines(child);
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      let ended: (Measured & { end: string }) | undefined;
      child.once('error', reject);
      child.once('exit', (code, killedBy) => {
        const wallSeconds = (performance.now() - startedMs) / 1000;
        ended = { wallSeconds, usage: meter.stop(), end: killedBy === null ? `code ${code}` : `signal ${killedBy}` };
      });
      // Later than its end: only now all that it has said was read.
      child.once('close', () => {
        const said = lines();
        if (ended)
          resolve({
            ...ended,
            lastWords: said.join(' / '),
            finishedLine: said.find((line) => line.includes('"backup.finished"')) ?? '',
          });
      });
      if (child.pid !== undefined) meter.watchClient(child.pid);
    });
  } finally {
    meter.stop();
    signal.removeEventListener('abort', kill);
    signal.throwIfAborted();
  }
}

function keepLastLines(child: ChildProcess): () => string[] {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-16_000);
    });
  }
  return () => text.trim().split('\n').slice(-LAST_LINES);
}
