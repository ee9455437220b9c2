-- Adds what statements of a migration did; $10 = the statements as JSON, the others are the same for all of them. $11 = their
-- milliseconds, added to those of the file; null adds nothing.
-- Role: nightshift_migrate. Locks: row. Not safe to rerun: adds them twice.
with timed as (
  update nightshift.migration
  set duration_ms = coalesce(duration_ms, 0) + $11
  where $11::integer is not null
    and kind = $2
    and number = $3
)
insert into nightshift.migration_step (
  request_id, kind, number, name, direction, outcome, sqlstate, error, requested_by,
  statement_number, line, statement, started_at, finished_at, duration_ms, lock_wait_ms, retries
)
select
  $1, $2, $3, $4, $5, $6, $7, $8, $9,
  s.statement_number, s.line, s.statement, s.started_at, s.finished_at, s.duration_ms, s.lock_wait_ms, s.retries
from jsonb_to_recordset($10::jsonb) as s (
  statement_number integer, line integer, statement text, started_at timestamptz, finished_at timestamptz,
  duration_ms integer, lock_wait_ms integer, retries integer
)
order by s.statement_number;
