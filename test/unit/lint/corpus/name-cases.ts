// Types, names and blocks: what is decided by the file alone.
import { bad, good } from './lint-corpus-case.ts';

const long = 'a'.repeat(64);

export const nameCases = [
  good('require-enum-value-position', "create type app.status as enum ('active');"),
  good('require-irreversible-mark', "alter type app.status add value 'paused' after 'active';", {
    down: "alter type app.status rename to status_old;\ncreate type app.status as enum ('active');",
  }),
  good('require-irreversible-mark', "alter type app.status rename value 'a' to 'b';", {
    down: "alter type app.status rename value 'b' to 'a';",
    also: ['ban-rename-enum-value'],
  }),
  good('prefer-check-over-domain', 'create domain app.money as numeric(12,2) default 0;'),
  bad('prefer-check-over-domain', 'create domain app.money as numeric(12,2) not null;'),
  bad('require-domain-check-not-valid', 'alter domain app.money set not null;'),
  good('require-domain-check-not-valid', 'alter domain app.money set not null;', {
    live: 'create domain app.money as numeric; create table app.items (price app.money);',
    size: 'small',
  }),
  good('require-domain-check-not-valid', 'alter domain app.money add constraint money_there check (value > 0);', {
    live: 'create domain app.money as numeric; create table app.items (price numeric);',
  }),
  good('require-domain-check-not-valid', 'alter domain app.money drop constraint money_there;'),
  bad('ban-char', 'alter table app.users add column code char(3);'),
  good('ban-char', 'create table app.a (id bigint primary key, c "char" not null);'),
  good('prefer-text-over-varchar', 'create table app.a (id bigint primary key, b varchar not null);'),
  bad('prefer-bigint-key', 'create table app.a (id integer, b text, primary key (id));'),
  bad('prefer-bigint-key', 'alter table app.a add column user_id integer references app.users (id);', {
    also: ['require-index-on-foreign-key'],
  }),
  bad('prefer-bigint-key', 'create table app.a (id integer generated always as identity, b text);'),
  good('prefer-bigint-key', 'create table app.a (id bigint primary key, tries smallint not null, year integer);'),
  good('prefer-identity-over-serial', 'create table app.a (id uuid primary key);'),
  good('prefer-timestamptz', 'create table app.a (id bigint primary key, day date, at timestamptz(3));'),
  good('prefer-jsonb', "create table app.a (id bigint primary key, b jsonb not null default '{}');"),
  // Names.
  bad('require-naming-convention', 'create table app."Users" (id bigint primary key);'),
  bad('require-naming-convention', 'create table app.users (id bigint, constraint pk primary key (id));'),
  bad('require-naming-convention', 'alter table app.users add check (age > 0) not valid;'),
  bad('require-naming-convention', 'create index concurrently by_email on app.users (email);'),
  bad('require-naming-convention', 'create function app."doIt"() returns integer language sql as \'select 1\';'),
  good('require-naming-convention', 'create index concurrently idx_users_email on app.users (email);'),
  good('require-naming-convention', 'create table app.users (id bigint primary key, age integer check (age > 0));'),
  bad('require-schema-name', 'create table users (id bigint primary key);'),
  bad('require-schema-name', 'create index concurrently users_email_idx on users (email);'),
  bad('require-schema-name', 'delete from users where id = 1;'),
  bad('require-schema-name', "create type status as enum ('a');"),
  bad('require-schema-name', 'drop function do_it(integer);'),
  good('require-schema-name', 'create temporary table t (id bigint);'),
  good('require-schema-name', 'with old as (select 1 as id) delete from app.users where id = 1;'),
  good('require-schema-name', 'set local search_path = app;\nalter table users add column b text;'),
  // Its transaction has ended.
  bad(
    'require-schema-name',
    'set local search_path = app;\nalter table users add column b text;\ncreate index concurrently users_b_idx on users (b);',
  ),
  good('require-concurrent-index-creation', 'set local search_path = app;\ncreate index users_b_idx on users (b);', {
    live: 'create table app.users (b text);',
    size: 'small',
  }),
  bad('ban-truncated-name', `alter table app.users add column ${long} text;`),
  good('ban-truncated-name', `comment on table app.users is '${long} in a comment';`),
  good('ban-truncated-name', `-- ${long}\nalter table app.users add column b text;`),
  bad('ban-truncated-name', `alter table app.users add column "${'ä'.repeat(32)}" text;`, {
    also: ['require-naming-convention'],
  }),
  bad('ban-if-exists', 'create schema if not exists app;'),
  bad('ban-if-exists', 'drop view if exists app.active_users;'),
  good('ban-if-exists', 'create extension if not exists pgcrypto;'),
  good('ban-if-exists', 'alter table app.users add column b text;', {
    down: 'alter table app.users drop column if exists b;',
  }),
  // Blocks.
  bad('prefer-static-sql', 'do $$ begin update app.users set a = 1; end $$;'),
  bad('prefer-static-sql', 'do $$ begin alter table app.users\n  add column b text; end $$;'),
  good('prefer-static-sql', "do $$ begin raise notice 'execute it by hand'; -- execute\nend $$;"),
  good(
    'prefer-static-sql',
    'do $$ begin create trigger t after insert on app.users for each row execute function app.f();\n grant execute on function app.f() to app_role; end $$;',
  ),
  good('require-definer-search-path', "create function app.f() returns integer language sql as 'select 1';"),
];
