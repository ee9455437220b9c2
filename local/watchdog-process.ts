// Runs as a process of its own: when the process that started it is gone, even by kill -9, it stops a PostgreSQL server
// and removes folders. Its standard input is a pipe that the owner holds open.
// usage: node watchdog-process.ts <postgres-pid or 0> <folder> [<folder> …]
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [pidText = '', ...folders] = process.argv.slice(2);
const pid = Number(pidText);

// Ctrl-C in a terminal reaches the whole process group: the watchdog must live on until the owner is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

process.stdin.resume();
process.stdin.on('end', () => void cleanUp());
process.stdin.on('error', () => void cleanUp());

async function cleanUp(): Promise<void> {
  if (pid > 0) {
    signalServer('SIGQUIT');
    for (let waited = 0; waited < 100 && signalServer(0); waited += 1) await sleep(50);
    signalServer('SIGKILL');
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  process.exit(0);
}

function signalServer(signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
