-- What PostgreSQL 18 added to what a dump must carry. After since-17.sql, as superuser; run on 18 and newer.
create table app.since_18 (
  a int,
  b int generated always as (a * 2) virtual,
  s int generated always as (a * 3) stored,
  c text
);
insert into app.since_18 (a, c) select n, 'row ' || n from generate_series(1, 500) n;
create table app.not_enforced (a int, b int, constraint above_0 check (a > 0) not enforced);
insert into app.not_enforced values (-1, null);
alter table app.not_enforced add constraint b_is_there not null b not valid;
create table app.refers (a int constraint to_always references app.big (id) not enforced);
insert into app.refers values (-1);
create table app.temporal (
  place int4range,
  during daterange,
  constraint temporal_key primary key (place, during without overlaps)
);
insert into app.temporal values ('[1,2)', '[2024-01-01,2024-02-01)'), ('[1,2)', '[2024-02-01,2024-03-01)');
create publication rich_generated for table app.since_18 with (publish = 'insert', publish_generated_columns = stored);
