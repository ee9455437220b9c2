-- Moves a half reverted migration from $4 to $5 committed statements. 0 rows: another run has moved it.
-- Role: nightshift_migrate. Locks: row. Safe to rerun: changes nothing then.
update nightshift.migration
set statements_done = $5
where kind = $1
  and number = $2
  and checksum = $3
  and state = 'going down'
  and statements_done = $4;
