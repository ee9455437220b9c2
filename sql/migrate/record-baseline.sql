-- Says that a file need not be run: its objects are there already. Role: nightshift_migrate. Locks: row.
-- Not safe to rerun: the key refuses it.
insert into nightshift.migration
  (kind, number, name, checksum, requested_by, request_id, statements_done, is_baseline)
values
  ('application', $1, $2, $3, $4, $5, $6, true);
