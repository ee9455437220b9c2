-- An extension with a configuration table that has a filter, and without files: rows of the catalog are all that pg_dump
-- and CREATE EXTENSION IF NOT EXISTS look at, so this works on every server and needs no right on its folders. It is
-- run in the source and, as an installed extension would be there, in each database to restore into. Needs superuser.
insert into pg_catalog.pg_extension
  (oid, extname, extowner, extnamespace, extrelocatable, extversion, extconfig, extcondition)
values (
  pg_catalog.pg_nextoid('pg_catalog.pg_extension', 'oid', 'pg_catalog.pg_extension_oid_index'),
  'rich_settings', 10, 'public'::regnamespace, true, '1.0', null, null
);
create table public.rich_setting (id int primary key, value text, built_in boolean not null default false);
create table public.rich_plain_member (id int);
create sequence public.rich_setting_number start 5;
alter extension rich_settings add table public.rich_setting;
alter extension rich_settings add table public.rich_plain_member;
alter extension rich_settings add sequence public.rich_setting_number;
insert into public.rich_setting select n, 'built in ' || n, true from generate_series(1, 20) n;
insert into public.rich_plain_member values (1);
update pg_catalog.pg_extension set
  extconfig = array['public.rich_setting'::regclass, 'public.rich_setting_number'::regclass]::oid[],
  extcondition = array['WHERE NOT built_in', '']
where extname = 'rich_settings';
