-- Scale $1: 1 branch, 10 tellers and 100,000 accounts each, as `pgbench -i -s`.
with
  branches as (insert into pgbench_branches select n, 0, '' from generate_series(1, $1::integer) n),
  tellers as (
    insert into pgbench_tellers
    select n, (n - 1) / 10 + 1, 0, '' from generate_series(1, $1::integer * 10) n
  )
insert into pgbench_accounts
select n, (n - 1) / 100000 + 1, 0, '' from generate_series(1, $1::integer * 100000) n;
