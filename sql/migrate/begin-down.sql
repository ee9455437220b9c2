-- Says that a migration is being reverted, $5 statements of its down file ($4 = its checksum) being committed with this.
-- 0 rows: another run was faster. Role: nightshift_migrate. Locks: row. Safe to rerun: changes nothing then.
update nightshift.migration
set
  state = 'going down',
  going_down_checksum = $4,
  statements_done = $5,
  half_done_since = clock_timestamp()
where kind = $1
  and number = $2
  and checksum = $3
  and state = 'applied';
