-- What PostgreSQL 17 added to what a dump must carry, but no exclusion constraint of a partitioned table: restored
-- from our archive its index did not attach; whether one of stock pg_dump does was not tried. After since-16.sql, as superuser; run on 17 and newer.
create collation app.built_in (provider = builtin, locale = 'C.UTF-8');
create table app.since_17 (
  id int generated always as identity,
  kind int4range not null,
  lasts interval,
  t text collate app.built_in,
  r int4range
) partition by list (kind);
create table app.since_17_one partition of app.since_17 for values in ('[1,2)');
create table app.since_17_rest partition of app.since_17 default;
insert into app.since_17 (kind, lasts, t, r)
select int4range(n % 3, n % 3 + 1), case n % 2 when 0 then 'infinity' else '-infinity' end::interval, 'é' || n, int4range(n * 10, n * 10 + 5)
from generate_series(1, 300) n;
alter table app.since_17 alter column t set statistics default;
