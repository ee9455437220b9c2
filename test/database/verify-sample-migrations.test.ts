import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyMigrationsResultSchema } from '../../functions/migrate/verify/contract.ts';
import { requireCertified, verifyMigrations } from '../../functions/migrate/verify/verify-migrations.ts';
import { productFolder, readMigrations } from '../../functions/shared/migration-files.ts';
import { type OwnCluster, startOwnCluster } from './own-cluster.ts';
import { scratchDatabases, withScratchRun } from './scratch-of-test.ts';

describe('sql/migrations', () => {
  let cluster: OwnCluster;
  beforeAll(async () => {
    cluster = await startOwnCluster();
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('every file: certified or irreversible by its own words, every table with rows, no role left', async () => {
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    const migrations = await readMigrations(productFolder('migrations'), true);

    const result = await withScratchRun(
      cluster,
      dbname,
      async ({ context }) => await verifyMigrations(context, { migrations }),
    );

    expect(verifyMigrationsResultSchema.parse(result)).toEqual(result);
    expect(result.certificates.filter(({ outcome }) => outcome !== 'certified')).toEqual([]);
    expect(result.certificates.map(({ file }) => file)).toEqual(migrations.map(({ up }) => up.file));
    expect(result.certificates.flatMap(({ tablesWithoutRows }) => tablesWithoutRows)).toEqual([]);
    expect(result.certificates[0]?.tablesWithRows).toEqual(['"app_schema"."user_audit"', '"app_schema"."users"']);
    expect(() => requireCertified(result)).not.toThrow();
    expect(await scratchDatabases(cluster)).toEqual([]);
    const client = await cluster.client(dbname);
    const { rows } = await client.query("select rolname from pg_roles where rolname ~ '^app_'");
    expect(rows).toEqual([]);
  });
});
