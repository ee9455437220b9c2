-- A table to measure on how fast this server scans, rewrites, indexes and changes: 50,000 rows, about 6 MB.
-- Role: nightshift_migrate in a scratch database, in a transaction that is rolled back.
create table public.nightshift_rates as
select
  n as id,
  md5(n::text) || md5((n + 1)::text) as filler
from generate_series(1, 50000) n
