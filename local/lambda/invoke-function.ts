// Invokes a bundled function in a process of its own, with the environment of the template and nothing of this shell's.
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { DeployedFunction } from '../template/read-functions.ts';

export interface Invoked {
  requestId: string;
  durationMs: number;
  /** The answer of the handler, or why there is none; `errorType` is the name of the error as Lambda tells it. */
  outcome:
    | { ok: true; result: Record<string, unknown> }
    | { ok: false; code: string; errorType: string; message: string };
}

export interface InvokeOptions {
  /** Called with every line that the function writes, JSON log lines and metrics alike. */
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

/** Runs one invocation; a function that passes its timeout is killed, as Lambda does. Never rejects. */
export async function invokeFunction(
  deployed: DeployedFunction,
  environment: Readonly<Record<string, string>>,
  event: object,
  options: InvokeOptions = {},
): Promise<Invoked> {
  const requestId = randomUUID();
  const startedMs = performance.now();
  const child = fork(fileURLToPath(new URL('lambda-process.ts', import.meta.url)), {
    env: { ...environment },
    cwd: deployed.folder,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  });
  const kill = () => child.kill('SIGKILL');
  options.signal?.addEventListener('abort', kill, { once: true });
  let isOutOfTime = false;
  const timer = setTimeout(() => {
    isOutOfTime = true;
    kill();
  }, deployed.timeoutMs);
  const lastWords = readLines(child, options.onLine);
  const outcome = await new Promise<Invoked['outcome']>((resolve) => {
    let reply: Invoked['outcome'] | undefined;
    child.on('message', (message: Reply) => {
      reply =
        'result' in message
          ? { ok: true, result: message.result }
          : {
              ok: false,
              code: message.error.code ?? message.error.name,
              errorType: message.error.name,
              message: message.error.message,
            };
    });
    child.once('error', (error) => resolve(failed('Runtime.Failed', error.message)));
    child.once('close', (exitCode, signal) => {
      if (reply) resolve(reply);
      else if (isOutOfTime) resolve(failed('Sandbox.Timedout', `Task timed out after ${deployed.timeoutMs / 1_000} s`));
      else resolve(withoutReply(exitCode, signal, lastWords()));
    });
    child.send({
      folder: deployed.folder,
      handler: deployed.handler,
      event,
      requestId,
      deadline: Date.now() + deployed.timeoutMs,
    });
  });
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', kill);
  return { requestId, durationMs: performance.now() - startedMs, outcome };
}

type Reply =
  | { result: Record<string, unknown> }
  | { error: { name: string; message: string; code?: string | undefined } };

function withoutReply(exitCode: number | null, signal: string | null, lastWords: string): Invoked['outcome'] {
  const how = signal === null ? `exited with code ${exitCode ?? 'unknown'}` : `was ended by ${signal}`;
  return failed('Runtime.ExitError', `the function ${how} without an answer. ${lastWords}`);
}

function failed(errorType: string, message: string): Invoked['outcome'] {
  return { ok: false, code: errorType, errorType, message };
}

function readLines(child: ChildProcess, onLine: ((line: string) => void) | undefined): () => string {
  const lastLines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        onLine?.(line);
        if (stream === child.stderr) lastLines.push(line);
        if (lastLines.length > 3) lastLines.shift();
      }
    });
  }
  return () => lastLines.join(' / ');
}
