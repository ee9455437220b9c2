-- Releases a legal hold that is in force. $1 = its number, $2 = who.
-- Role: the owner of nightshift.legal_hold, or one that was granted UPDATE. Locks: waits for the batch of a running purge.
-- Safe to rerun: one that is released stays as it is.
update nightshift.legal_hold
set released_at = clock_timestamp(),
  released_by = $2
where hold_id = $1::bigint
  and released_at is null
returning hold_id::text as "holdId", format('%s.%s', schema_name, table_name) as "table", reason;
