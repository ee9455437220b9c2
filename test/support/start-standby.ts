// A real physical standby of a throw-away cluster, made by pg_basebackup: for what only a replica that lags shows.
import { execFile, spawn } from 'node:child_process';
import { appendFileSync, chownSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPostgres } from '../../local/postgres/find-binaries.ts';
import { unprivilegedUser } from '../../local/postgres/unprivileged-user.ts';
import type { OwnCluster } from '../database/own-cluster.ts';

const run = promisify(execFile);

/** Starts it with further settings, in the folder of its primary; ends with `stop()`. */
export async function startStandby(primary: OwnCluster, name: string, settings: Record<string, string>) {
  const { directory } = findPostgres();
  const user = unprivilegedUser();
  const { host, port, caFile } = primary.place;
  appendFileSync(join(primary.folder, 'data/pg_hba.conf'), 'hostssl replication all 127.0.0.1/32 scram-sha-256\n');
  const administrator = await primary.client('postgres');
  await administrator.query('select pg_reload_conf()');
  await administrator.end();
  const folder = mkdtempSync(join(primary.folder, 'standby-'));
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const place = `host=${host} port=${port} user=${primary.superuser.user} application_name=${name} sslmode=verify-full sslrootcert=${caFile}`;
  const env = { LC_ALL: 'C', PATH: process.env['PATH'], PGPASSWORD: primary.superuser.password };
  await run(join(directory, 'pg_basebackup'), ['-D', data, '-R', '-X', 'stream', '-c', 'fast', '-d', place], {
    cwd: folder,
    ...user,
    env,
  });
  // Nobody connects to it, but without a place to listen at it does not start.
  const lines = Object.entries({ listen_addresses: '', unix_socket_directories: folder, ...settings }).map(
    ([key, value]) => `${key} = '${value}'`,
  );
  appendFileSync(join(data, 'postgresql.auto.conf'), `${lines.join('\n')}\n`);
  const server = spawn(join(directory, 'postgres'), ['-D', data], { cwd: folder, ...user, env, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  return {
    stop: async () => {
      server.kill('SIGQUIT');
      await ended;
    },
  };
}
