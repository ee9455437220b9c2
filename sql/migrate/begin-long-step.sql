-- Says that statement $4 of a file is about to be sent on session $7, with what the catalog holds now ($8). Written by another
-- session than that one, and before. Role: nightshift_migrate. Locks: row. Safe to rerun: a new try replaces the old one.
insert into nightshift.migration_long_step
  (kind, number, direction, statement_number, operation, statement, process_id, backend_start, catalog_before, requested_by,
   request_id)
select
  $1, $2, $3, $4, $5, $6, a.pid, a.backend_start, $8::jsonb, $9, $10
from pg_stat_activity a
where a.pid = $7
on conflict (kind, number) do update
set
  direction = excluded.direction,
  statement_number = excluded.statement_number,
  operation = excluded.operation,
  statement = excluded.statement,
  process_id = excluded.process_id,
  backend_start = excluded.backend_start,
  started_at = excluded.started_at,
  -- A batch goes on where its cursor is.
  catalog_before = case
    when migration_long_step.statement_number = excluded.statement_number
      and migration_long_step.direction = excluded.direction
      and excluded.operation = 'batches'
      then migration_long_step.catalog_before
    else excluded.catalog_before
  end,
  batch_cursor = case
    when migration_long_step.statement_number = excluded.statement_number
      and migration_long_step.direction = excluded.direction
      then migration_long_step.batch_cursor
  end,
  requested_by = excluded.requested_by,
  request_id = excluded.request_id;
