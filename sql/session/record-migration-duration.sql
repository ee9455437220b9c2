-- Completes the row of record-migration.sql in the same transaction. Role: nightshift_migrate. Locks: row. Safe to rerun.
update nightshift.migration
set duration_ms = $3
where kind = $1
  and number = $2;
