-- Lifts every stop flag. $1 = who. Role: the owner of nightshift.purge_stop, or one that was granted UPDATE. Locks: none.
-- Safe to rerun: what is lifted stays as it is.
update nightshift.purge_stop
set lifted_at = clock_timestamp(),
  lifted_by = $1
where lifted_at is null
returning purge_stop_id::text as "stopId", reason, placed_by as "placedBy";
