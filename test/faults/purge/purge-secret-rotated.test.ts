// The password of purge is rotated between two passes of one execution, which one warm function carries out.
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { handler } from '../../../functions/purge/handler.ts';
import { createPurgeWorld, DATABASE, type PurgeWorld } from '../../database/purge-world.ts';
import { BUCKET } from '../../support/local-aws.ts';

const SECRET = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:purge-abcdef';
const lambda = (awsRequestId: string) => ({ awsRequestId, getRemainingTimeInMillis: () => 900_000 });

let world: PurgeWorld;
const before = { ...process.env };
beforeAll(async () => {
  world = await createPurgeWorld();
  await world.reset();
  Object.assign(process.env, {
    DATABASE_NAME: DATABASE,
    DATABASE_SECRET_ARN: SECRET,
    DATABASE_CA_FILE: world.fresh.tls.caFile,
    BACKUP_BUCKET: BUCKET,
  });
});
afterEach(() => {
  process.env = { ...before };
});
afterAll(async () => await world.close());

async function rotate(password: string): Promise<void> {
  await world.fresh.query(`alter role ${world.role.user} password '${password}'`);
  const { host, port, dbname, username } = world.fresh.credentials(world.role);
  world.aws.secrets.setSecret(SECRET, JSON.stringify({ host, port, dbname, username, password, engine: 'postgres' }));
}

test('rotated between two passes: the second one reads the secret again and comes to the end of the series', async () => {
  await rotate(randomBytes(12).toString('hex'));
  await world.addPolicy();
  await world.fresh.query(`
    create function app.say_stop() returns trigger language plpgsql security definer as $$
      begin
        if new.batches = 3 then insert into nightshift.purge_stop (reason) values ('the test rotates the secret'); end if;
        perform pg_sleep(0.3);
        return null;
      end $$;
    create trigger say_stop after update of batches on nightshift.purge_run for each row when (new.batches > old.batches)
      execute function app.say_stop()`);
  const event = { job: 'purge', scheduledTime: '2026-11-22T03:30:00.000Z', executionId: 'execution-1' };
  const reads = () => world.aws.secrets.requests().filter(({ secretId }) => secretId === SECRET).length;

  const first = await handler(event, lambda('request-1'));
  const readsOfFirst = reads();
  await rotate(randomBytes(12).toString('hex'));
  await world.fresh.query(
    "drop function app.say_stop() cascade; update nightshift.purge_stop set lifted_at = clock_timestamp(), lifted_by = 'the test'",
  );
  const second = await handler(event, lambda('request-2'));

  expect(first).toMatchObject({ complete: false, policies: [{ state: 'stopped' }] });
  expect(first.rowsDone).toBeGreaterThan(0);
  expect(second).toMatchObject({ complete: true, policies: [{ state: 'finished', rowsDone: 40, rowsLeft: 0 }] });
  expect(second.policies[0]?.series).toBe(first.policies[0]?.series);
  expect(readsOfFirst).toBe(1);
  expect(reads()).toBeGreaterThan(readsOfFirst);
  expect(await world.countEvents()).toBe(60);
});
