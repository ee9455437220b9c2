-- The application migrations that are applied or half done. Role: nightshift_migrate. Locks: none. Safe to rerun.
select
  number,
  name,
  checksum,
  applied_at,
  state,
  statements_done,
  half_done_since,
  going_down_checksum,
  plan_hash,
  is_baseline
from nightshift.migration
where kind = 'application'
order by number;
