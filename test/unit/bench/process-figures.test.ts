import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readMemory, readTime, readTree, treeSeconds } from '../../../bench/measure/process-figures.ts';

// The benchmark itself refuses to run anywhere else.
describe.runIf(existsSync('/proc/self/status'))('the figures of a process', () => {
  test('a shell with a child: the tree has both, and the time of the child counts before and after its end', async () => {
    const busy = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done';
    const shell = spawn('sh', ['-c', `sh -c '${busy}; sleep 0.3; exit 0'; sleep 0.5`], { stdio: 'ignore' });
    const ended = once(shell, 'exit');
    const pid = shell.pid ?? 0;
    const seen: number[] = [];
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, readTree(pid).length);
      seen.push(treeSeconds(pid));
    }, 20);

    await ended;
    clearInterval(timer);

    expect(most).toBeGreaterThanOrEqual(2);
    const used = Math.max(...seen);
    expect(used).toBeGreaterThan(0.02);
    // The last look is after the end of the busy child, whose time may not be lost then.
    expect(seen.filter((seconds) => seconds > 0).at(-1)).toBeCloseTo(used, 1);
    expect(readTime(pid)).toBeUndefined();
    expect(readMemory(pid)).toBeUndefined();
  });

  test('this process: memory in MiB, the peak not below that of now', () => {
    const memory = readMemory(process.pid);

    expect(memory?.residentMiB).toBeGreaterThan(20);
    expect(memory?.peakMiB).toBeGreaterThanOrEqual(memory?.residentMiB ?? Number.POSITIVE_INFINITY);
  });
});
