// Examples of the rules on columns.
import type { RuleExamples } from './lint-example.ts';

const users = 'create table app.users (id bigint, name varchar(20), born timestamp);';
const backfill =
  'alter table app.users add column token uuid;\nalter table app.users alter column token set default gen_random_uuid();';

export const columnExamples: Readonly<Record<string, RuleExamples>> = {
  'ban-required-column': {
    bad: { sql: 'alter table app.users add column country text not null;' },
    good: { sql: "alter table app.users add column country text not null default 'unknown';" },
  },
  'ban-volatile-default': {
    bad: { sql: 'alter table app.users add column token uuid default gen_random_uuid();' },
    good: { sql: backfill.replace(';\nalter table app.users', ',') },
  },
  'ban-stored-generated-column': {
    bad: { sql: 'alter table app.users add column name_length integer generated always as (length(name)) stored;' },
    good: { sql: 'alter table app.users add column name_length integer;' },
  },
  'ban-serial-on-existing-table': {
    bad: { sql: 'alter table app.users add column number bigint generated always as identity;' },
    good: { sql: 'alter table app.users add column number bigint;' },
  },
  'ban-constrained-domain-column': {
    bad: {
      live: `create domain app.price as numeric check (value >= 0); ${users}`,
      sql: 'alter table app.users add column credit app.price;',
    },
    good: {
      live: users,
      sql: 'alter table app.users\n  add column credit numeric,\n  add constraint users_credit_positive check (credit >= 0) not valid;',
    },
  },
  'ban-type-change-with-rewrite': {
    bad: { live: users, timeZone: 'Europe/Athens', sql: 'alter table app.users alter column born type timestamptz;' },
    good: { live: users, timeZone: 'UTC', sql: 'alter table app.users alter column born type timestamptz;' },
  },
  'ban-type-change-with-rebuild': {
    bad: {
      live: `${users} create index users_lower_name_idx on app.users (lower(name));`,
      sql: 'alter table app.users alter column name type text;',
    },
    good: {
      live: `${users} create index users_name_idx on app.users (name);`,
      sql: 'alter table app.users alter column name type text;',
    },
  },
  'ban-drop-not-null': {
    bad: { sql: 'alter table app.users alter column name drop not null;' },
    good: {
      sql: '-- nightshift: allow ban-drop-not-null because release 41, which reads a null name, is everywhere since May\nalter table app.users alter column name drop not null;',
    },
  },
  'prefer-narrow-table': {
    bad: {
      live: `create table app.wide (${Array.from({ length: 60 }, (_, index) => `c${index} text`).join(', ')});`,
      sql: 'alter table app.wide add column note text;',
    },
    good: {
      sql: 'create table app.wide_notes (wide_id bigint primary key, note text not null);',
    },
  },
};
