// Examples of the rules on tables as a whole.
import type { RuleExamples } from './lint-example.ts';

export const tableExamples: Readonly<Record<string, RuleExamples>> = {
  'require-concurrent-detach': {
    bad: { sql: 'alter table app.events detach partition app.events_2020;' },
    good: { sql: 'alter table app.events detach partition app.events_2020 concurrently;' },
  },
  'prefer-attach-partition': {
    bad: {
      sql: "create table app.events_2027 partition of app.events\n  for values from ('2027-01-01') to ('2028-01-01');",
    },
    good: {
      sql: "create table app.events_2027 (like app.events including all);\nalter table app.events attach partition app.events_2027\n  for values from ('2027-01-01') to ('2028-01-01');",
    },
  },
  'ban-table-copy': {
    bad: { sql: 'alter table app.sessions set unlogged;' },
    good: { sql: 'create unlogged table app.sessions (id bigint primary key, seen_at timestamptz not null);' },
  },
  'ban-vacuum-full': { bad: { sql: 'vacuum full app.users;' }, good: { sql: 'vacuum (analyze) app.users;' } },
  'ban-cluster': {
    bad: { sql: 'cluster app.users using users_pkey;' },
    good: { sql: 'create index concurrently users_created_at_idx on app.users (created_at);' },
  },
  'ban-drop-table': {
    bad: { sql: 'drop table app.legacy;' },
    good: {
      sql: '-- nightshift: allow ban-drop-table because nothing has read it since release 40, and backup 2026-11-20 keeps it\ndrop table app.legacy;',
    },
  },
  'ban-drop-column': {
    bad: { sql: 'alter table app.users drop column fax;' },
    good: {
      sql: '-- nightshift: allow ban-drop-column because release 41 no longer reads it\nalter table app.users drop column fax;',
    },
  },
  'ban-drop-cascade': {
    bad: { sql: 'drop view app.active_users cascade;' },
    good: { sql: 'drop view app.active_users_by_country, app.active_users;' },
  },
  'ban-truncate-cascade': {
    bad: {
      live: 'create table app.users (id bigint primary key); create table app.orders (user_id bigint references app.users);',
      sql: 'truncate app.users cascade;',
    },
    good: {
      live: 'create table app.users (id bigint primary key); create table app.orders (user_id bigint references app.users);',
      size: 'empty',
      sql: 'truncate app.users, app.orders;',
    },
  },
  'ban-truncate': {
    bad: { sql: 'truncate app.events;' },
    good: { sql: "-- nightshift: batch by id 5000\ndelete from app.events where at < '2020-01-01';" },
  },
  'ban-rename-table': {
    bad: { sql: 'alter table app.users rename to accounts;' },
    good: { sql: 'create view app.accounts as select * from app.users;' },
  },
  'ban-rename-column': {
    bad: { sql: 'alter table app.users rename column mail to email;' },
    good: { sql: 'alter table app.users add column email text;' },
  },
  'ban-rename-schema': {
    bad: { sql: 'alter schema app rename to shop;' },
    good: { sql: 'create schema shop;\ncreate view shop.users as select * from app.users;' },
  },
};
