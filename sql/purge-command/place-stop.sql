-- Keeps every purge from beginning another batch. $1 = why, $2 = who.
-- Role: the owner of nightshift.purge_stop, or one that was granted INSERT. Locks: none. Not safe to rerun: places a second one.
insert into nightshift.purge_stop (reason, placed_by)
values ($1, $2)
returning purge_stop_id::text as "stopId";
