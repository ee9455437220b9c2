import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { startClientTool, toolFailure } from '../../functions/shared/postgres-client-tools.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function start(script: string, elsewhere?: string) {
  const directory = mkdtempSync(join(tmpdir(), 'nightshift-test-tool-'));
  folders.push(directory);
  writeFileSync(join(directory, 'pg_dump'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return startClientTool({
    tools: { directory: elsewhere ?? directory, major: 15, version: '15.18' },
    program: 'pg_dump',
    args: ['--format=custom'],
    credentials: { host: 'h', port: 1, dbname: 'd', username: 'u', password: new SecretText('hunter2') },
    dbname: 'd',
    tls: { mode: 'verify-full', caFile: '/ca.pem' },
    applicationName: 'nightshift/backup x',
  });
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

describe('startClientTool', () => {
  test.each([10, 300_000])('it writes %i bytes and ends before anybody reads: nothing is lost', async (bytes) => {
    const tool = start(`head -c ${bytes} /dev/zero | tr '\\0' x`);
    await sleep(300);

    expect((await textOf(tool.stdout)).length).toBe(bytes);
    expect(await tool.ended).toMatchObject({ exitCode: 0 });
  });

  test('the password: in the environment, in no argument; TLS is verify-full with the given authorities', async () => {
    const tool = start('echo "$@"; echo "$PGPASSWORD $PGSSLMODE $PGSSLROOTCERT $PGAPPNAME"');

    expect(await textOf(tool.stdout)).toBe('--format=custom\nhunter2 verify-full /ca.pem nightshift/backup x\n');
  });

  test('it does not end on SIGTERM: killed a second later', async () => {
    const tool = start("trap '' TERM; while :; do sleep 0.1; done");
    await sleep(200);

    tool.stop();

    expect(await tool.ended).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
  });

  test('it fails with a row value in DETAIL and an echoed command: neither is repeated', async () => {
    const tool = start(
      'echo "pg_dump: error: query failed: ERROR: duplicate key" >&2; echo "DETAIL: Key (email)=(a@b.c) exists" >&2; echo "pg_dump: detail: Command was: COPY x" >&2; exit 1',
    );

    const end = await tool.ended;

    expect(toolFailure('pg_dump', end, 'after 0 bytes', 'Nothing').message).toBe(
      'pg_dump exited with code 1 after 0 bytes: "pg_dump: error: query failed: ERROR: duplicate key". Nothing. Hint: read what pg_dump says; look at the log of the server at this time, and at the memory of the function when a signal ended it.',
    );
  });

  test('it cannot be started: ends without an exit code and says why', async () => {
    const end = await start('exit 0', '/no/such/place').ended;

    expect(end.exitCode).toBeNull();
    expect(end.messages).toMatch(/ENOENT/);
  });
});
