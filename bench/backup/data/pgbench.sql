-- The four tables of pgbench, as `pgbench -i` makes them; filled by fill-pgbench.sql.
create table pgbench_branches (bid integer not null, bbalance integer, filler character(88));
create table pgbench_tellers (tid integer not null, bid integer, tbalance integer, filler character(84));
create table pgbench_accounts (aid integer not null, bid integer, abalance integer, filler character(84));
create table pgbench_history (
  tid integer,
  bid integer,
  aid integer,
  delta integer,
  mtime timestamp,
  filler character(22)
);
