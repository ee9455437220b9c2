-- What PostgreSQL 16 added to what a dump must carry. After the rich source, as superuser; run on 16 and newer.
create table app.since_16 (id int primary key, t text storage external, c text storage main compression pglz);
insert into app.since_16 select n, repeat('row ' || n || ' ', 2000), md5(n::text) from generate_series(1, 200) n;
create collation app.with_rules (provider = icu, locale = 'und', rules = '& V << w <<< W');
create table app.by_rules (t text collate app.with_rules);
create index on app.by_rules (t);
insert into app.by_rules values ('v'), ('w'), ('W'), ('x');
