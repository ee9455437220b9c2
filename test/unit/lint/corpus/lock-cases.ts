// Indexes and constraints: who waits for whom, and for how long.
import { bad, good } from './lint-corpus-case.ts';

const users = 'create table app.users (id bigint, email text);';
const indexed = `${users} create index users_email_idx on app.users (email);`;
const fkey = 'alter table app.orders add constraint orders_user_fkey foreign key (user_id) references app.users (id)';
const orders =
  'create table app.orders (id bigint, user_id bigint); create index orders_user_id_idx on app.orders (user_id);';
const parted = 'create table app.events (at timestamptz) partition by range (at);';

export const lockCases = [
  // A new table has no rows and no writers.
  good(
    'require-concurrent-index-creation',
    'create table app.users (id bigint primary key, email text);\ncreate index users_email_idx on app.users (email);',
  ),
  good('require-concurrent-index-creation', 'create index users_email_idx on app.users (email);', {
    live: users,
    size: 'small',
  }),
  bad('require-concurrent-index-creation', 'create unique index users_email_key on app.users (email);', {
    live: users,
  }),
  // An earlier file of the run made it: new when the catalog proves that it is not there, otherwise nobody knows.
  good('require-concurrent-index-creation', 'create index users_email_idx on app.users (email);', {
    before: ['create table app.users (id bigint primary key, email text);'],
    live: 'create table app.others (id bigint);',
  }),
  bad('require-concurrent-index-creation', 'create index users_email_idx on app.users (email);', {
    before: ['create table app.users (id bigint primary key, email text);'],
  }),
  bad('require-concurrent-index-creation', 'create index users_email_idx on app.users (email);', {
    before: ['alter table app.users add column phone text;'],
    live: users,
  }),
  // IF NOT EXISTS of a table that is there makes nothing new.
  bad(
    'require-concurrent-index-creation',
    'create table if not exists app.users (id bigint);\ncreate index users_id_idx on app.users (id);',
    { live: users, also: ['ban-if-exists'] },
  ),
  good(
    'require-concurrent-index-creation',
    'create table app.copies as select 1 as id;\ncreate index copies_id_idx on app.copies (id);',
  ),
  good(
    'require-concurrent-index-creation',
    'create materialized view app.totals as select 1 as id;\ncreate unique index totals_id_key on app.totals (id);',
  ),
  // A renamed new table stays new.
  good(
    'require-concurrent-index-creation',
    'create table app.a (id bigint primary key, b text);\nalter table app.a rename to c;\ncreate index c_b_idx on app.c (b);',
  ),
  bad('ban-index-on-partitioned-table', 'create index events_at_idx on app.events (at);', { live: parted }),
  good('ban-index-on-partitioned-table', 'create index events_at_idx on app.events (at);', {
    live: parted,
    size: 'small',
  }),
  good(
    'ban-index-on-partitioned-table',
    'create table app.events (at timestamptz) partition by range (at);\ncreate index events_at_idx on app.events (at);',
  ),
  good('require-concurrent-index-drop', 'drop index app.users_email_idx;', { live: indexed, size: 'small' }),
  bad('require-concurrent-index-drop', 'drop index app.users_email_idx;', { live: indexed }),
  good(
    'require-concurrent-index-drop',
    'create table app.a (id bigint);\ncreate index a_id_idx on app.a (id);\ndrop index app.a_id_idx;',
  ),
  bad('require-concurrent-reindex', 'reindex index app.users_email_idx;', { live: indexed }),
  good('require-concurrent-reindex', 'reindex index app.users_email_idx;', { live: indexed, size: 'small' }),
  good('require-concurrent-refresh', 'refresh materialized view app.totals with no data;'),
  good(
    'require-concurrent-refresh',
    'create materialized view app.totals as select 1 as id with no data;\nrefresh materialized view app.totals;',
  ),
  bad(
    'ban-concurrent-index-if-not-exists',
    'create index concurrently if not exists users_email_idx on app.users (email);',
  ),
  good(
    'ban-concurrent-index-if-not-exists',
    'create index concurrently if not exists users_email_idx on app.users (email);',
    { live: indexed },
  ),
  good('ban-concurrently-in-block', "do $$ begin raise notice 'create index concurrently'; end $$;"),
  bad(
    'ban-timeout-on-concurrent-index',
    "set local statement_timeout = '1min';\ncreate index concurrently users_email_idx on app.users (email);",
    { also: ['ban-timeout-change'] },
  ),
  good(
    'ban-timeout-on-concurrent-index',
    '-- nightshift: statement timeout 60 s\nalter table app.users validate constraint users_email_form;',
  ),
  good('prefer-narrow-index', 'create unique index concurrently users_key on app.users (a, b, c, d);'),
  // Foreign keys.
  good('require-index-on-foreign-key', `${fkey} not valid;`, { live: orders }),
  bad('require-index-on-foreign-key', `${fkey} not valid;`),
  bad(
    'require-index-on-foreign-key',
    'create table app.orders (id bigint primary key, user_id bigint references app.users (id));',
  ),
  good(
    'require-index-on-foreign-key',
    'create table app.orders (id bigint primary key, user_id bigint references app.users (id));\ncreate index orders_user_id_idx on app.orders (user_id, id);',
  ),
  good(
    'require-index-on-foreign-key',
    'create table app.members (user_id bigint references app.users (id), role text, primary key (user_id, role));',
  ),
  // A partial index does not find every row that refers; nor does one in which the column is second.
  bad(
    'require-index-on-foreign-key',
    `create index concurrently orders_open_idx on app.orders (user_id) where open;\n${fkey} not valid;`,
    { live: 'create table app.orders (user_id bigint, open boolean);' },
  ),
  bad('require-index-on-foreign-key', `${fkey} not valid;`, {
    live: 'create table app.orders (id bigint, user_id bigint); create index orders_id_idx on app.orders (id, user_id);',
  }),
  bad('require-index-on-foreign-key', `${fkey} not valid;`, {
    live: orders,
    invalid: ['orders_user_id_idx'],
  }),
  // A new column is null everywhere, and the server passes over its rows; with a default it does not.
  good('require-foreign-key-not-valid', 'alter table app.orders add column user_id bigint references app.users (id);', {
    also: ['require-index-on-foreign-key'],
  }),
  bad(
    'require-foreign-key-not-valid',
    'alter table app.orders add column user_id bigint default 1 references app.users (id);',
    { also: ['require-index-on-foreign-key'] },
  ),
  good('require-foreign-key-not-valid', `${fkey};`, { live: orders, size: 'small' }),
  good('require-foreign-key-not-valid', `${fkey};`, {
    before: [orders],
    live: users,
  }),
  good('require-concurrent-index-drop', 'drop index app.events_at_idx;', {
    live: `${parted} create index events_at_idx on app.events (at);`,
    size: 'small',
  }),
  good(
    'prefer-attach-partition',
    'create table app.events (at timestamptz) partition by range (at);\ncreate table app.events_rest partition of app.events default;',
  ),
  good('require-not-null-proof', 'alter table app.users alter email set not null;', {
    before: [
      'alter table app.users add constraint users_email_there not null email not valid;\nalter table app.users validate constraint users_email_there;',
    ],
    live: users,
  }),
  // The proof goes on under another name.
  good(
    'require-not-null-proof',
    'alter table app.users rename constraint users_email_form to users_email_there;\nalter table app.users validate constraint users_email_there;\nalter table app.users alter email set not null;',
    {
      live: 'create table app.users (email text); alter table app.users add constraint users_email_form check (email is not null) not valid;',
    },
  ),
  // Checks.
  bad('require-check-not-valid', 'alter table app.users add column age integer check (age > 0);'),
  good('require-check-not-valid', "alter table app.users add constraint users_email_form check (email like '%@%');", {
    live: users,
    size: 'small',
  }),
  good('require-check-not-valid', 'create table app.users (id bigint primary key, age integer check (age > 0));'),
  good('require-separate-validation', 'alter table app.users validate constraint users_email_form;'),
  bad(
    'require-separate-validation',
    'alter table app.users validate constraint users_email_form, alter column email set statistics 500;',
  ),
  // SET NOT NULL and what proves it.
  bad('require-not-null-proof', 'alter table app.users alter email set not null;', { live: users }),
  good('require-not-null-proof', 'alter table app.users alter email set not null;', { live: users, size: 'small' }),
  good('require-not-null-proof', 'alter table app.users alter email set not null;', {
    live: 'create table app.users (email text, constraint users_email_there check (email is not null));',
  }),
  good('require-not-null-proof', 'alter table app.users alter email set not null;', {
    live: "create table app.users (email text, constraint users_email_form check (email is not null and email <> ''));",
  }),
  bad('require-not-null-proof', 'alter table app.users alter email set not null;', {
    live: "create table app.users (email text, constraint users_email_form check (email is not null or email <> ''));",
  }),
  bad('require-not-null-proof', 'alter table app.users alter email set not null;', {
    live: 'create table app.users (email text); alter table app.users add constraint users_email_there check (email is not null) not valid;',
  }),
  good('require-not-null-proof', 'alter table app.users alter email set not null;', {
    live: 'create table app.users (email text not null);',
  }),
  // The proof is in earlier files of the run.
  good('require-not-null-proof', 'alter table app.users alter email set not null;', {
    before: [
      'alter table app.users add constraint users_email_there check (email is not null) not valid;',
      'alter table app.users validate constraint users_email_there;',
    ],
  }),
  // It was dropped before it was of use.
  bad('require-not-null-proof', 'alter table app.users alter email set not null;', {
    before: ['alter table app.users drop constraint users_email_there;'],
    live: 'create table app.users (email text, constraint users_email_there check (email is not null));',
  }),
  good('require-not-null-proof', 'alter table app.users add constraint users_email_there not null email not valid;'),
  bad('require-not-null-proof', 'alter table app.users add constraint users_email_there not null email;'),
  bad(
    'require-not-null-proof',
    'alter table app.users add constraint users_pkey primary key using index users_id_key;',
    {
      live: `${users} create unique index users_id_key on app.users (id);`,
    },
  ),
  bad('require-unique-using-index', 'alter table app.users add column phone text unique;', { live: users }),
  good('require-unique-using-index', 'alter table app.users add constraint users_email_key unique (email);', {
    live: users,
    size: 'small',
  }),
  bad('require-primary-key-using-index', 'alter table app.users add constraint users_pkey primary key (id);', {
    live: users,
  }),
  good('require-primary-key-using-index', 'alter table app.users add constraint users_pkey primary key (id);', {
    live: users,
    size: 'small',
  }),
  good(
    'ban-exclusion-on-existing-table',
    'alter table app.users add constraint users_excl exclude using btree (id with =);',
    { live: users, size: 'small' },
  ),
  good(
    'require-check-before-attach',
    "create table app.events_2026 (at timestamptz);\nalter table app.events attach partition app.events_2026 for values from ('2026-01-01') to ('2027-01-01');",
    { live: parted },
  ),
  good('require-concurrent-detach', 'alter table app.events detach partition app.events_2020;', {
    live: `${parted} create table app.events_2020 partition of app.events default;`,
    size: 'small',
  }),
];
