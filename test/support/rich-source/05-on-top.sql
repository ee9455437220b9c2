-- What stands on the tables: materialized views, publications, foreign tables, grants, an event trigger. Last, so that
-- materialized views see the rows.
create materialized view app.by_kind as select kind, count(*) as n, max(ts) as last from app.events group by kind order by kind;
create unique index on app.by_kind (kind);
create materialized view app.over_all as select sum(n) as s from app.by_kind;
create materialized view app.third as select s * 2 as twice from app.over_all;
create materialized view app.without_rows as select * from app.over_all with no data;
create view app.on_top as select t.twice, v.author from app.third t cross join lateral (select author from app.of_big order by id limit 1) v;

create publication rich_filtered for table app.big (id, author) where (id > 10), app.events with (publish = 'insert');
-- Inserts only: updates of a table without primary key would be refused.
create publication rich_everything for all tables with (publish = 'insert, truncate');
create publication rich_schema for tables in schema "Odd Schema, ""quoted""" with (publish = 'insert');
-- A wrapper without handler needs no library; a table of it never has rows.
create foreign data wrapper rich_nowhere;
create server rich_server foreign data wrapper rich_nowhere options (host 'else''where');
-- Without options: those that hold passwords are seen by a superuser only, and are not in a backup.
create user mapping for rich_reader server rich_server;
create foreign table app.elsewhere (a int, b text options (column_name 'B')) server rich_server options (table_name 't');

create function app.on_ddl() returns event_trigger language plpgsql as $$ begin null; end $$;
create event trigger rich_event on ddl_command_end execute function app.on_ddl();

alter table app.events owner to rich_owner;
alter schema "Odd Schema, ""quoted""" owner to rich_owner;
alter function app.half(int) owner to rich_owner;
grant select on app.secrets, app.big to rich_reader with grant option;
grant update (author), references on app.big to rich_reader;
grant usage on sequence app.lone to rich_reader;
revoke execute on function app.half(int) from public;
revoke all on schema public from public;
alter default privileges in schema app grant select on tables to rich_reader;
alter default privileges for role rich_owner grant execute on functions to rich_reader;
create cast (app.pair as text) with inout;
analyze;
