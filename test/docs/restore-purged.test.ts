// The section of docs/restore.md on rows that a purge has archived, run as it stands.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { findProgram } from '../../bench/servers/fetch-clients.ts';
import { createPurgeWorld, DATABASE, type PurgeWorld } from '../database/purge-world.ts';
import { BUCKET } from '../support/local-aws.ts';
import { writeAwsShim } from './aws-shim.ts';
import { readPage, shellBlocks } from './shell-blocks.ts';

let world: PurgeWorld;
let work: string;
beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'nightshift-restore-purged-'));
  writeAwsShim(work);
  world = await createPurgeWorld();
  await world.reset();
});
afterAll(async () => {
  await world.close();
  rmSync(work, { recursive: true, force: true });
});

describe('docs/restore.md, rows that a purge removed', () => {
  test('the block: each object is checked, and all rows are back as they were', async () => {
    await world.fresh.query("update app.event set kind = E'tab\\t, \\\\ and\\nline' where id > 95");
    const rows = 'select id, "Created at", kind from app.event order by id';
    const before = (await world.fresh.query(rows)).rows;
    await world.addPolicy({ archive: true });
    const { policy } = await world.purge();

    const { host, port, user, password, caFile } = inject('cluster');
    const environment = {
      PATH: [work, dirname(findProgram('psql')), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      NIGHTSHIFT_TEST_BUCKETS: dirname(world.aws.bucketFolder),
      BUCKET,
      DATABASE,
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: caFile,
    };
    const [block] = shellBlocks(readPage('restore.md')).filter(
      ({ section }) => section === 'Rows that a purge removed',
    );
    const script = (block?.text ?? '')
      .replace('purge-archive/events/1"', `purge-archive/events/${policy?.series}"`)
      .replace('-d shop', `-d ${world.fresh.name}`);
    const run = async () =>
      await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: work, env: environment });
    const { stdout } = await run();

    expect(stdout).toContain('COPY 40');
    expect((await world.fresh.query(rows)).rows).toEqual(before);
    const object = join(world.aws.bucketFolder, policy?.archive?.manifestKey ?? '', '../app.event/000001.copy.gz');
    writeFileSync(object, 'something else');
    await expect(run()).rejects.toMatchObject({ stdout: expect.stringContaining('000001.copy.gz: FAILED') });
  });
});
