-- The migrations that are applied now, of one kind ($1). Role: nightshift_migrate. Locks: none. Safe to rerun.
select
  number,
  name,
  checksum,
  applied_at
from nightshift.migration
where kind = $1
order by number;
