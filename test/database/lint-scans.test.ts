// Lint says which statements read all rows under their lock; the server counts the rows that it reads.
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LintCatalog } from '../../functions/migrate/lint/lint-catalog.ts';
import { lintMigrations } from '../../functions/migrate/lint/lint-migrations.ts';
import { readLintCatalog } from '../../functions/migrate/lint/read-lint-catalog.ts';
import { readMigrations } from '../../functions/shared/migration-files.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { filesOfTest } from './migration-files-of-test.ts';

/** The rules that say "this reads every row". */
const SCAN_RULES = [
  'require-concurrent-index-creation',
  'require-foreign-key-not-valid',
  'require-check-not-valid',
  'require-separate-validation',
  'require-not-null-proof',
  'require-unique-using-index',
  'require-primary-key-using-index',
  'ban-exclusion-on-existing-table',
  'require-check-before-attach',
  'ban-type-change-with-rebuild',
];

const SCHEMA = `
  create table parent (id bigint primary key);
  insert into parent select generate_series(1, 50);
  create table t (
    id bigint not null,
    parent_id bigint,
    a varchar(20),
    proven text,
    half_proven text,
    nullable text,
    checked varchar(20),
    at timestamp,
    constraint t_proven check (proven is not null and proven <> 'z'),
    constraint t_half check (half_proven is not null or id > 0),
    constraint t_checked check (checked <> 'z')
  );
  insert into t select n, n, 'a', 'b', 'c', 'd', 'e', now() from generate_series(1, 50) n;
  alter table t add constraint t_later check (nullable is not null) not valid;
  create unique index t_id_ready on t (id);
  create unique index t_proven_ready on t (proven, id);
  create unique index t_nullable_ready on t (nullable, id);
  create index t_at on t (at);
  create index t_lower_a on t (lower(a));
  create table whole (at int not null) partition by range (at);
  create table part (at int not null);
  create table part_checked (at int not null, constraint bounds check (at >= 0 and at < 100));
  insert into part select generate_series(1, 50);
  insert into part_checked select generate_series(1, 50);
`;

const statements = [
  'create index t_a on t (a)',
  'alter table t alter nullable set not null',
  'alter table t alter proven set not null',
  'alter table t alter half_proven set not null',
  'alter table t alter id set not null',
  'alter table t add constraint t_c check (id > 0)',
  'alter table t add constraint t_c check (id > 0) not valid',
  'alter table t add constraint t_fk foreign key (parent_id) references parent (id)',
  'alter table t add constraint t_fk foreign key (parent_id) references parent (id) not valid',
  'alter table t add other_parent bigint references parent (id)',
  'alter table t add other_parent bigint default 1 references parent (id)',
  'alter table t add other_parent bigint references parent (id), add constraint t_fk foreign key (parent_id) references parent',
  'alter table t add constraint t_u unique (id)',
  'alter table t add constraint t_u unique using index t_id_ready',
  'alter table t add constraint t_pk primary key (id)',
  'alter table t add constraint t_pk primary key using index t_id_ready',
  'alter table t add constraint t_pk primary key using index t_proven_ready',
  'alter table t add constraint t_pk primary key using index t_nullable_ready',
  'alter table t add constraint t_x exclude using btree (id with =)',
  'alter table t validate constraint t_later, alter a set statistics 10',
  'alter table t alter checked type text',
  'alter table t alter at type timestamptz',
  'alter table t alter a type text',
  'alter table t alter parent_id type bigint',
  'alter table t alter proven type varchar',
  'alter table t add b text',
  'alter table t add b int check (b > 0)',
  "alter table t add b text not null default 'x'",
  'alter table whole attach partition part for values from (0) to (100)',
  'alter table whole attach partition part_checked for values from (0) to (100)',
];

describe('lintMigrations with a live catalog', () => {
  let fresh: FreshDatabase;
  let client: Client;
  let catalog: LintCatalog;
  beforeAll(async () => {
    fresh = await createFreshDatabase();
    await fresh.query(`alter database ${fresh.name} set timezone to 'UTC'`);
    client = await fresh.client();
    await client.query(SCHEMA);
    const read = await fresh.database('migrate').withSession(readLintCatalog);
    // The rules are silent about small tables; these stand for large ones.
    catalog = { ...read, tables: read.tables.map((table) => ({ ...table, rows: 1e8, bytes: 1e11 })) };
  });
  afterAll(async () => await fresh.drop());

  test.each(statements)('%s: it reads all rows if lint says so, and only then', async (sql) => {
    const folder = filesOfTest({ '0001_a.up.sql': sql, '0001_a.down.sql': 'select 1;' });
    const rules = lintMigrations(await readMigrations(folder, true), catalog).map(({ rule }) => rule);

    await client.query('begin');
    // The counters of a session also hold what earlier transactions have not reported yet.
    const before = await countRowsRead(client);
    await client.query(sql);
    const rowsRead = (await countRowsRead(client)) - before;
    await client.query('rollback');

    expect({ sql, rules, scans: rules.some((rule) => SCAN_RULES.includes(rule)) }).toEqual({
      sql,
      rules,
      scans: rowsRead >= 50,
    });
  });
});

async function countRowsRead(client: Client): Promise<number> {
  const { rows } = await client.query<{ rows_read: number }>(
    "select coalesce(sum(seq_tup_read), 0)::int as rows_read from pg_stat_xact_user_tables where relname <> 'parent'",
  );
  return rows[0]?.rows_read ?? Number.NaN;
}
