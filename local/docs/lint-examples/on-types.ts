// Examples of the rules on types.
import type { RuleExamples } from './lint-example.ts';

export const typeExamples: Readonly<Record<string, RuleExamples>> = {
  'require-enum-value-position': {
    bad: { sql: "alter type app.status add value 'paused';" },
    good: { sql: "alter type app.status add value 'paused' after 'active';" },
  },
  'require-irreversible-mark': {
    bad: { sql: "alter type app.status add value 'paused' after 'active';", down: 'select 1;' },
    good: {
      sql: "alter type app.status add value 'paused' after 'active';",
      down: '-- nightshift: irreversible because a label of an enum cannot be removed',
    },
  },
  'ban-rename-enum-value': {
    bad: { sql: "alter type app.status rename value 'active' to 'on';" },
    good: { sql: "alter type app.status add value 'on' before 'active';" },
  },
  'prefer-check-over-domain': {
    bad: { sql: 'create domain app.price as numeric check (value >= 0);' },
    good: {
      sql: 'create table app.items (price numeric not null, constraint items_price_positive check (price >= 0));',
    },
  },
  'require-domain-check-not-valid': {
    bad: {
      live: 'create domain app.price as numeric; create table app.items (price app.price);',
      sql: 'alter domain app.price add constraint price_positive check (value >= 0);',
    },
    good: {
      live: 'create domain app.price as numeric; create table app.items (price app.price);',
      sql: 'alter domain app.price add constraint price_positive check (value >= 0) not valid;',
    },
  },
  'ban-char': {
    bad: { sql: 'create table app.countries (code char(2) primary key);' },
    good: {
      sql: 'create table app.countries (code text primary key, constraint countries_code_form check (length(code) = 2));',
    },
  },
  'prefer-text-over-varchar': {
    bad: { sql: 'create table app.users (id bigint primary key, name varchar(50) not null);' },
    good: {
      sql: 'create table app.users (\n  id bigint primary key,\n  name text not null,\n  constraint users_name_length check (length(name) <= 50)\n);',
    },
  },
  'prefer-bigint-key': {
    bad: { sql: 'create table app.users (id integer primary key, visits integer not null);' },
    good: { sql: 'create table app.users (id bigint primary key, visits integer not null);' },
  },
  'prefer-identity-over-serial': {
    bad: { sql: 'create table app.users (id bigserial primary key);' },
    good: { sql: 'create table app.users (id bigint generated always as identity primary key);' },
  },
  'prefer-timestamptz': {
    bad: { sql: 'create table app.visits (id bigint primary key, at timestamp not null);' },
    good: { sql: 'create table app.visits (id bigint primary key, at timestamptz not null);' },
  },
  'prefer-jsonb': {
    bad: { sql: 'alter table app.users add column settings json;' },
    good: { sql: 'alter table app.users add column settings jsonb;' },
  },
};
