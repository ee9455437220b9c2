-- Adds what one statement of a migration did. Role: nightshift_migrate. Locks: row. Not safe to rerun: adds it twice.
insert into nightshift.migration_step (
  request_id, kind, number, name, direction, statement_number, line, statement, outcome,
  started_at, finished_at, duration_ms, lock_wait_ms, retries, sqlstate, error, requested_by
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);
