import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';

describe('createFreshDatabase', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await createFreshDatabase();
  });
  afterAll(async () => {
    await fresh.drop();
  });

  test('a session of the product: TLS is on, the settings of design are set', async () => {
    const database = fresh.database('health');

    const { rows } = await database.withSession(
      async (session) =>
        await session.query<{ ssl: boolean; name: string; setting: string }>(
          `select (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as ssl, name, setting from pg_settings
           where name in ('application_name', 'lock_timeout', 'tcp_keepalives_idle', 'row_security') order by name`,
        ),
    );

    expect(rows.map(({ name, setting }) => `${name}=${setting}`)).toEqual([
      'application_name=nightshift/health',
      'lock_timeout=5000',
      'row_security=off',
      'tcp_keepalives_idle=10',
    ]);
    expect(rows.every(({ ssl }) => ssl)).toBe(true);
    expect(inject('cluster').major).toBeGreaterThanOrEqual(14);
  });
});
