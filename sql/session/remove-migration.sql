-- Takes a migration out of the history as the first statement of its reversal; 0 rows means that another run was faster.
-- Role: nightshift_migrate. Locks: row. Safe to rerun: removes nothing then.
delete from nightshift.migration
where kind = $1
  and number = $2
  and checksum = $3;
