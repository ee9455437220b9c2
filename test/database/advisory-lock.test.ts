import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { requireAdvisoryLock, tryAdvisoryLock } from '../../functions/shared/advisory-lock.ts';
import type { Database } from '../../functions/shared/database.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';

describe('tryAdvisoryLock', () => {
  let fresh: FreshDatabase;
  let backup: Database;
  let migrate: Database;

  beforeAll(async () => {
    fresh = await createFreshDatabase();
    backup = fresh.database('backup');
    migrate = fresh.database('migrate');
  });
  afterAll(async () => {
    await backup.close();
    await migrate.close();
    // The server needs a moment to end the session that a refusal closed.
    await vi.waitUntil(async () => {
      const left = await fresh.query(
        "select from pg_stat_activity where datname = current_database() and application_name like 'nightshift/%'",
      );
      return left.rowCount === 0;
    }, 10_000);
    await fresh.drop();
  });

  test('the lock is free: it is taken, and free again after unlock', async () => {
    const second = await backup.withSession(async (one) => {
      const lock = await tryAdvisoryLock(one, 'nightshift:schema', 'exclusive');
      expect(lock.held).toBe(true);
      if (lock.held) await lock.unlock();
      return await migrate.withSession(async (other) => {
        const taken = await tryAdvisoryLock(other, 'nightshift:schema', 'exclusive');
        if (taken.held) await taken.unlock();
        return taken.held;
      });
    });

    expect(second).toBe(true);
  });

  test('another session holds it: the answer comes at once and names pid, application, role, state and age', async () => {
    await backup.withSession(async (one) => {
      const lock = await tryAdvisoryLock(one, 'nightshift:schema', 'shared');

      const refused = await migrate.withSession(
        async (other) => await tryAdvisoryLock(other, 'nightshift:schema', 'exclusive'),
      );

      expect(refused).toEqual({
        held: false,
        holders: [
          {
            processId: one.processId,
            mode: 'shared',
            applicationName: 'nightshift/backup',
            role: 'postgres',
            sessionStartedAt: expect.any(Date),
            state: 'idle',
            statementAgeSeconds: expect.any(Number),
          },
        ],
      });
      if (lock.held) await lock.unlock();
    });
  });

  test('two sessions want it shared: both get it; an exclusive one is told of both', async () => {
    await backup.withSession(async (one) => {
      await backup.withSession(async (two) => {
        const first = await tryAdvisoryLock(one, 'nightshift:schema', 'shared');
        const second = await tryAdvisoryLock(two, 'nightshift:schema', 'shared');

        const refused = await migrate.withSession(
          async (other) => await tryAdvisoryLock(other, 'nightshift:schema', 'exclusive'),
        );

        expect([first.held, second.held, refused.held]).toEqual([true, true, false]);
        const holders = refused.held ? [] : refused.holders.map(({ processId }) => processId);
        expect(new Set(holders)).toEqual(new Set([one.processId, two.processId]));
        if (first.held) await first.unlock();
        if (second.held) await second.unlock();
      });
    });
  });

  test('another lock is held: it is not in the way', async () => {
    await backup.withSession(async (one) => {
      const other = await tryAdvisoryLock(one, 'nightshift:purge', 'exclusive');
      const schema = await migrate.withSession(async (two) => {
        const lock = await tryAdvisoryLock(two, 'nightshift:schema', 'exclusive');
        if (lock.held) await lock.unlock();
        return lock.held;
      });

      expect(schema).toBe(true);
      if (other.held) await other.unlock();
    });
  });

  test('the session that holds it is ended: the lock is free', async () => {
    const holding = backup.withSession(async (one) => {
      await tryAdvisoryLock(one, 'nightshift:schema', 'exclusive');
      await fresh.query('select pg_terminate_backend($1, 5000)', [one.processId]);
      await one.query('select 1');
    });
    await expect(holding).rejects.toThrow(/terminat|connection/i);

    const held = await migrate.withSession(async (other) => {
      const lock = await tryAdvisoryLock(other, 'nightshift:schema', 'exclusive');
      if (lock.held) await lock.unlock();
      return lock.held;
    });

    expect(held).toBe(true);
  });

  test('the holder is a role that may not be seen: pid, role and application are still told, nothing is made up', async () => {
    const role = `viewer_${fresh.name}`;
    await fresh.query(`create role ${role} login password 'viewer'`);
    const viewer = fresh.database('health', { user: role, password: 'viewer' });
    await backup.withSession(async (one) => {
      await tryAdvisoryLock(one, 'nightshift:schema', 'exclusive');

      const lock = await viewer.withSession(
        async (other) => await tryAdvisoryLock(other, 'nightshift:schema', 'exclusive'),
      );

      expect(lock.held ? [] : lock.holders).toMatchObject([
        {
          processId: one.processId,
          applicationName: 'nightshift/backup',
          role: 'postgres',
          sessionStartedAt: null,
          state: null,
        },
      ]);
      await one.query('select pg_advisory_unlock_all()');
    });
    await viewer.close();
    await fresh.query(`drop role ${role}`);
  });

  test('unlock without the lock: database.session_lost instead of silence', async () => {
    await backup.withSession(async (one) => {
      const lock = await tryAdvisoryLock(one, 'nightshift:schema', 'exclusive');
      await one.query('select pg_advisory_unlock_all()');

      await expect(lock.held ? lock.unlock() : undefined).rejects.toMatchObject({ code: 'database.session_lost' });
    });
  });

  test('requireAdvisoryLock on a held lock: job.locked with the holder and what was not done', async () => {
    await backup.withSession(async (one) => {
      const lock = await tryAdvisoryLock(one, 'nightshift:schema', 'shared');

      const wanted = {
        name: 'nightshift:schema',
        mode: 'exclusive',
        job: 'migrate',
        safeState: 'No migration was run',
      } as const;
      const refused = migrate.withSession(async (other) => await requireAdvisoryLock(other, wanted));

      await expect(refused).rejects.toMatchObject({
        code: 'job.locked',
        problem: expect.stringContaining(
          `pid ${one.processId} ("nightshift/backup", role "postgres", shared, connected since `,
        ),
        safeState: 'No migration was run',
      });
      if (lock.held) await lock.unlock();
    });
  });
});
