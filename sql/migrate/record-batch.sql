-- Moves the cursor of the statement in batches, in the transaction of the batch. 0 rows: another run has taken it over.
-- Role: nightshift_migrate. Locks: row. Not safe to rerun: counts the rows twice.
update nightshift.migration_long_step
set
  batch_cursor = $2,
  rows_done = rows_done + $3
where kind = 'application'
  and number = $1
  and process_id = pg_backend_pid();
