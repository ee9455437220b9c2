-- Moves a half applied migration from $4 to $5 committed statements; with $6 it is whole. 0 rows: another run has moved it.
-- Role: nightshift_migrate. Locks: row. Safe to rerun: changes nothing then.
update nightshift.migration
set
  statements_done = $5,
  state = case when $6 then 'applied' else 'going up' end,
  half_done_since = case when $6 then null else half_done_since end
where kind = $1
  and number = $2
  and checksum = $3
  and state = 'going up'
  and statements_done = $4;
