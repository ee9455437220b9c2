// Examples of the rules on rows, locks, style and allow lines.
import type { RuleExamples } from './lint-example.ts';

const secured =
  'create table app.users (id bigint, email text); alter table app.users enable row level security; alter table app.users force row level security;';

export const runExamples: Readonly<Record<string, RuleExamples>> = {
  'require-batches': {
    bad: { sql: "update app.users set country = 'unknown';" },
    good: {
      sql: "-- nightshift: batch by id 5000\nupdate app.users set country = 'unknown' where country is null;",
    },
  },
  'ban-backfill-under-row-security': {
    bad: { live: secured, sql: "update app.users set email = 'a@example.com' where id = 1;" },
    good: {
      live: secured,
      sql: "alter table app.users no force row level security;\nupdate app.users set email = 'a@example.com' where id = 1;",
    },
  },
  'ban-duplicate-set': {
    bad: { sql: "update app.users set name = 'a', name = 'b' where id = 1;" },
    good: { sql: "update app.users set name = 'a', email = 'b' where id = 1;" },
  },
  'ban-work-under-exclusive-lock': {
    bad: {
      sql: 'alter table app.users add column orders bigint;\ninsert into app.totals (n) select count(*) from app.orders;',
    },
    good: { sql: 'insert into app.totals (n) select count(*) from app.orders;' },
  },
  'prefer-combined-alters': {
    bad: { sql: 'alter table app.users add column a text;\nalter table app.users add column b text;' },
    good: { sql: 'alter table app.users add column a text, add column b text;' },
  },
  'ban-timeout-change': {
    bad: { sql: "set local lock_timeout = '10min';\nalter table app.users add column a text;" },
    good: { sql: 'alter table app.users add column a text;' },
  },
  'require-naming-convention': {
    bad: { sql: 'alter table app.users add column "firstName" text;' },
    good: { sql: 'alter table app.users add column first_name text;' },
  },
  'require-schema-name': {
    bad: { sql: 'alter table users add column country text;' },
    good: { sql: 'alter table app.users add column country text;' },
  },
  'ban-truncated-name': {
    bad: {
      sql: 'create index concurrently users_by_country_and_city_and_street_and_house_number_and_name_idx on app.users (country);',
    },
    good: { sql: 'create index concurrently users_country_idx on app.users (country);' },
  },
  'ban-if-exists': {
    bad: { sql: 'alter table app.users add column if not exists country text;' },
    good: { sql: 'alter table app.users add column country text;' },
  },
  'prefer-static-sql': {
    bad: { sql: "do $$ begin execute 'alter table app.users add column country text'; end $$;" },
    good: { sql: 'alter table app.users add column country text;' },
  },
  'require-definer-search-path': {
    bad: {
      sql: "create function app.rows() returns bigint language sql security definer as 'select count(*) from app.users';",
    },
    good: {
      sql: "create function app.rows() returns bigint language sql security definer\n  set search_path = pg_catalog, pg_temp as 'select count(*) from app.users';",
    },
  },
  'ban-unused-allow': {
    bad: {
      sql: '-- nightshift: allow ban-drop-column because release 41 no longer reads it\nalter table app.users add column fax text;',
    },
    good: {
      sql: '-- nightshift: allow ban-drop-column because release 41 no longer reads it\nalter table app.users drop column fax;',
    },
  },
  'ban-unknown-allow': {
    bad: {
      sql: '-- nightshift: allow ban-drop-colum because release 41 no longer reads it\nalter table app.users drop column fax;',
      also: ['ban-drop-column'],
    },
    good: {
      sql: '-- nightshift: allow ban-drop-column because release 41 no longer reads it\nalter table app.users drop column fax;',
    },
  },
};
