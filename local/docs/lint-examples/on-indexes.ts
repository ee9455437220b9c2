// Examples of the rules on indexes.
import type { RuleExamples } from './lint-example.ts';

export const indexExamples: Readonly<Record<string, RuleExamples>> = {
  'require-concurrent-index-creation': {
    bad: { sql: 'create index users_email_idx on app.users (email);' },
    good: { sql: 'create index concurrently users_email_idx on app.users (email);' },
  },
  'ban-index-on-partitioned-table': {
    bad: {
      live: 'create table app.events (at timestamptz) partition by range (at);',
      sql: 'create index concurrently events_at_idx on app.events (at);',
    },
    good: {
      live: 'create table app.events (at timestamptz) partition by range (at);',
      sql: 'create index events_at_idx on only app.events (at);',
    },
  },
  'require-concurrent-index-drop': {
    bad: { sql: 'drop index app.users_email_idx;' },
    good: { sql: 'drop index concurrently app.users_email_idx;' },
  },
  'require-concurrent-reindex': {
    bad: { sql: 'reindex table app.users;' },
    good: { sql: 'reindex (concurrently) table app.users;' },
  },
  'require-concurrent-refresh': {
    bad: { sql: 'refresh materialized view app.totals;' },
    good: { sql: 'refresh materialized view concurrently app.totals;' },
  },
  'ban-concurrent-index-if-not-exists': {
    bad: {
      live: 'create table app.users (email text); create unique index users_email_idx on app.users (email);',
      invalid: ['users_email_idx'],
      sql: 'create unique index concurrently if not exists users_email_idx on app.users (email);',
    },
    good: {
      live: 'create table app.users (email text); create unique index users_email_idx on app.users (email);',
      invalid: ['users_email_idx'],
      sql: 'create unique index concurrently users_email_idx on app.users (email);',
    },
  },
  'ban-concurrently-in-block': {
    bad: {
      sql: "do $$ begin if current_setting('app.big', true) = '1' then\n  create index concurrently users_email_idx on app.users (email);\nend if; end $$;",
      also: ['prefer-static-sql'],
    },
    good: { sql: 'create index concurrently users_email_idx on app.users (email);' },
  },
  'ban-timeout-on-concurrent-index': {
    bad: {
      sql: '-- nightshift: statement timeout 60 s\ncreate index concurrently users_email_idx on app.users (email);',
    },
    good: { sql: 'create index concurrently users_email_idx on app.users (email);' },
  },
  'prefer-narrow-index': {
    bad: { sql: 'create index concurrently users_many_idx on app.users (country, city, street, house);' },
    good: { sql: 'create index concurrently users_place_idx on app.users (country, city, street);' },
  },
  'prefer-btree-over-hash': {
    bad: { sql: 'create index concurrently users_email_idx on app.users using hash (email);' },
    good: { sql: 'create index concurrently users_email_idx on app.users (email);' },
  },
  'prefer-fewer-indexes': {
    bad: {
      live: `create table app.users (a integer, b integer); ${Array.from({ length: 15 }, (_, index) => `create index users_${index}_idx on app.users (a);`).join(' ')}`,
      sql: 'create index concurrently users_b_idx on app.users (b);',
    },
    good: {
      live: 'create table app.users (a integer, b integer); create index users_a_idx on app.users (a);',
      sql: 'create index concurrently users_b_idx on app.users (b);',
    },
  },
  'require-index-on-foreign-key': {
    bad: {
      live: 'create table app.users (id bigint primary key); create table app.orders (user_id bigint);',
      sql: 'alter table app.orders add constraint orders_user_fkey\n  foreign key (user_id) references app.users (id) not valid;',
    },
    good: {
      live: 'create table app.users (id bigint primary key); create table app.orders (user_id bigint);',
      sql: 'create index concurrently orders_user_id_idx on app.orders (user_id);\nalter table app.orders add constraint orders_user_fkey\n  foreign key (user_id) references app.users (id) not valid;',
    },
  },
};
