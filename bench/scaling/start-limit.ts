// Starts the proxy that limits each connection to the database.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface LimitProxy {
  readonly port: number;
  readonly processId: number;
  stop(): Promise<void>;
}

/** Settles when it takes connections. It ends by itself when this process ends, however that happens. */
export async function startLimit(server: { host: string; port: number }, bytesPerSecond: number): Promise<LimitProxy> {
  const file = fileURLToPath(new URL('limit-process.ts', import.meta.url));
  const child = fork(file, [server.host, String(server.port), String(bytesPerSecond)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await Promise.race([
    new Promise<number>((resolve) => child.once('message', (message: { port: number }) => resolve(message.port))),
    ended.then((): never => {
      throw new Error('the proxy that limits the connections ended by itself');
    }),
  ]);
  return {
    port,
    processId: child.pid ?? 0,
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
