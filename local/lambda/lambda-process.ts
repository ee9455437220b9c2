// The process in which one invocation of a bundled function runs: it loads the bundle as Lambda does and calls its handler.
// Talks to invoke-function.ts over the process channel; the bundle's own output goes to standard output.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Invocation {
  folder: string;
  handler: string;
  event: unknown;
  requestId: string;
  deadline: number;
}

// The owner is gone, even by kill -9: nobody waits for an answer.
process.once('disconnect', () => process.exit(1));
process.once('message', (invocation: Invocation) => void invoke(invocation));

async function invoke({ folder, handler, event, requestId, deadline }: Invocation): Promise<void> {
  try {
    const [file = 'index', name = 'handler'] = handler.split('.', 2);
    const bundle: Record<string, unknown> = await import(pathToFileURL(join(folder, `${file}.mjs`)).href);
    const call = bundle[name];
    if (typeof call !== 'function') throw new TypeError(`${file}.mjs exports no function "${name}"`);
    const context = { awsRequestId: requestId, getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()) };
    answer({ result: await call(event, context) });
  } catch (error) {
    const name = error instanceof Error ? error.name : 'Error';
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    answer({ error: { name, message, code } });
  }
}

function answer(reply: object): void {
  // Lambda freezes the sandbox after the answer: what a handler left running must not keep this process alive.
  process.send?.(reply, () => process.exit(0));
}
