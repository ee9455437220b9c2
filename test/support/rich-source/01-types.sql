-- Roles come from the loader: rich_owner and rich_reader are replaced by names of its own (roles belong to the cluster).
-- Needs superuser. Nothing in these files depends on the time or on chance.
-- The schema may be there already: the source is loaded beside other tables too.
create schema if not exists app;
create schema "Odd Schema, ""quoted""";
create schema empty_schema;
grant usage on schema app to rich_reader;
comment on schema "Odd Schema, ""quoted""" is E'odd\n''comment''';

create type app.mood as enum ('sad', 'it''s ok', 'très content');
create domain app.positive as int default 1 check (value > 0);
create domain app.short_text as varchar(12) collate "C" not null;
create type app.pair as (x int, y app.mood);
create type app.float_range as range (subtype = float8, subtype_diff = float8mi);
create function app.half(value int) returns int language plpgsql immutable as $$ begin return value / 2; end $$;
create procedure app.nothing() language sql as 'select 1';
create function app.keep_row() returns trigger language plpgsql as $$ begin return new; end $$;
create aggregate app.total (int) (sfunc = int4pl, stype = int, initcond = '0');
create operator app.=~= (leftarg = int, rightarg = int, function = int4eq);
create collation app.by_bytes from "C";
create text search configuration app.plain (copy = simple);
