-- Says that a migration is applied ($7 = 'applied') or has begun ('going up'), $8 statements of it being committed with this row.
-- The first statement of its transaction, so that of two runs that passed each other only one goes on.
-- Role: nightshift_migrate. Locks: row. Not safe to rerun: the key refuses it.
insert into nightshift.migration
  (kind, number, name, checksum, requested_by, request_id, state, statements_done, plan_hash, half_done_since)
values
  ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $7 = 'applied' then null else clock_timestamp() end);
