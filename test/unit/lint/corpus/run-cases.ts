// Rows, locks and down scripts: what depends on the rest of the run.
import { bad, good } from './lint-corpus-case.ts';

const users = 'create table app.users (id bigint, email text, country text);';
const secured = `${users} alter table app.users enable row level security;`;
const forced = `${secured} alter table app.users force row level security;`;

export const runCases = [
  bad('require-batches', 'delete from app.users;'),
  bad('require-batches', "update app.users set country = 'x' where country is null;"),
  bad('require-batches', "update app.users set country = 'x' where country <> 'y';", { live: users }),
  good('require-batches', "update app.users set country = 'x';", { live: users, size: 'small' }),
  good('require-batches', "update app.users set country = 'x' where id = 7;"),
  good('require-batches', "update app.users set country = 'x' where id in (7, 8) and country is null;"),
  bad('require-batches', "update app.users set country = 'x' where id = 7 or country is null;"),
  good(
    'require-batches',
    "create table app.a (id bigint primary key, b text);\ninsert into app.a (id) values (1);\nupdate app.a set b = 'x';",
  ),
  bad('require-batches', 'alter table app.users add column age integer;', {
    down: 'update app.users set country = null;\nalter table app.users drop column age;',
  }),
  // Row level security.
  bad('ban-backfill-under-row-security', 'delete from app.users where id = 1;', { live: forced }),
  good('ban-backfill-under-row-security', 'delete from app.users where id = 1;', { live: secured }),
  good('ban-backfill-under-row-security', 'delete from app.users where id = 1;', { live: users }),
  bad('ban-backfill-under-row-security', 'delete from app.users where id = 1;', {
    before: ['alter table app.users enable row level security,\n  force row level security;'],
  }),
  bad('ban-backfill-under-row-security', '-- nightshift: batch by id 1000\nupdate app.users set country = null;', {
    live: forced,
  }),
  // A copy of rows that policies hide is an empty copy.
  bad('ban-backfill-under-row-security', 'insert into app.copies select * from app.users;', { live: forced }),
  bad(
    'ban-backfill-under-row-security',
    'create table app.copies as select u.id from app.users u join app.others o using (id);',
    { live: forced },
  ),
  bad(
    'ban-backfill-under-row-security',
    'update app.others set a = 1 where id = 1 and exists (select from app.users where id = 1);',
    { live: forced },
  ),
  good('ban-backfill-under-row-security', 'insert into app.users (id) values (1);', { live: forced }),
  // Another session runs the batches, after the transaction in which FORCE was off.
  good(
    'ban-backfill-under-row-security',
    'alter table app.users no force row level security;\n-- nightshift: batch by id 1000\nupdate app.users set country = null;\nalter table app.users force row level security;',
    { live: forced },
  ),
  good('ban-duplicate-set', "update app.users set tags[1] = 'a', tags[2] = 'b' where id = 1;"),
  // Work under a lock.
  bad(
    'ban-work-under-exclusive-lock',
    'alter table app.users add column age integer;\nupdate app.users set age = 1 where age is null;',
    { also: ['require-batches'] },
  ),
  good(
    'ban-work-under-exclusive-lock',
    'alter table app.users add column age integer;\n-- nightshift: batch by id 1000\nupdate app.users set age = 1 where age is null;',
  ),
  good(
    'ban-work-under-exclusive-lock',
    'create table app.a (id bigint primary key);\nalter table app.a add column b text;\ninsert into app.a (id) select id from app.users;',
  ),
  good(
    'ban-work-under-exclusive-lock',
    "alter table app.users add column age integer;\ninsert into app.kinds (name) values ('a'), ('b');",
  ),
  good(
    'ban-work-under-exclusive-lock',
    'alter table app.users validate constraint users_email_form;\ninsert into app.totals (n) select count(*) from app.users;',
  ),
  bad(
    'ban-work-under-exclusive-lock',
    'drop trigger audit on app.users;\nalter table app.users rename column mail to email;\nrefresh materialized view app.totals;',
    { also: ['ban-rename-column', 'require-concurrent-refresh'] },
  ),
  good('prefer-combined-alters', 'alter table app.users add column a text;\nalter table app.orders add column b text;'),
  good(
    'prefer-combined-alters',
    'create table app.a (id bigint primary key);\nalter table app.a add column b text;\nalter table app.a add column c text;',
  ),
  good(
    'prefer-combined-alters',
    "alter table app.users add constraint users_email_form check (email <> '') not valid;\nalter table app.users validate constraint users_email_form;\nalter table app.users alter column country set default 'x';",
  ),
  good('prefer-combined-alters', 'alter table app.users add column a text;\nalter table app.users add column b text;', {
    live: users,
    size: 'small',
  }),
  bad('ban-timeout-change', "select set_config('statement_timeout', '0', true);"),
  good('ban-timeout-change', "set local work_mem = '64MB';\nselect set_config('app.user', 'x', true);"),
  // Down scripts: locks and rewrites count, and what the up file made may have grown by then.
  bad('require-concurrent-index-creation', 'drop index concurrently app.users_email_idx;', {
    down: 'create index users_email_idx on app.users (email);',
  }),
  bad(
    'require-concurrent-index-drop',
    'create table app.a (id bigint primary key, b text);\ncreate index a_b_idx on app.a (b);',
    {
      down: 'drop index app.a_b_idx;',
    },
  ),
  good(
    'require-concurrent-index-drop',
    'create table app.a (id bigint primary key, b text);\ncreate index a_b_idx on app.a (b);',
    {
      down: 'drop index app.a_b_idx;\ndrop table app.a;',
    },
  ),
  bad('ban-type-change-with-rewrite', 'alter table app.users alter column email type varchar;', {
    live: users,
    down: 'alter table app.users alter column email type varchar(20);',
  }),
  good('prefer-text-over-varchar', 'alter table app.users add column b text;', {
    down: 'alter table app.users drop column b;',
  }),
  good('require-naming-convention', 'alter table app.users drop constraint users_a_check;', {
    down: 'alter table app.users add check (a > 0) not valid;',
  }),
  // Allow lines.
  good(
    'ban-unused-allow',
    '-- nightshift: allow require-concurrent-index-creation because staging is large and production is not\ncreate index users_email_idx on app.users (email);',
    { live: users, size: 'small' },
  ),
  good(
    'ban-unused-allow',
    '-- nightshift: allow ban-type-change-with-rebuild because it is the quiet hour\nalter table app.users alter column email type varchar;',
    { also: ['ban-type-change-with-rewrite'] },
  ),
  bad(
    'ban-unused-allow',
    '-- nightshift: allow ban-type-change-with-rebuild because it is the quiet hour\nalter table app.users alter column email type varchar;',
    { live: users },
  ),
];
