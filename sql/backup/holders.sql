-- The sessions of this role that hold the snapshot of backup $1 in this database, newest first: its snapshot is the one to
-- import. is_relayed says that its client is at work and leaves when it is told ($2 = the lock of such holders).
-- Any role; no locks. In a transaction it shows what the first look has shown.
select
  a.pid as process_id,
  pg_catalog.split_part(a.application_name, ' ', 3) as snapshot_id,
  a.pid = me.pid as is_self,
  -- Its statement runs, and not only has its name been set.
  coalesce(a.wait_event = 'PgSleep', false) as is_asleep,
  exists (
    select
    from pg_catalog.pg_locks l
    where l.pid = a.pid
      and l.locktype = 'advisory'
      -- A bigint key is shown as two halves of 32 bits, marked by objsubid 1.
      and l.objsubid = 1
      and l.classid::bigint = (pg_catalog.hashtextextended($2, 0) >> 32) & 4294967295
      and l.objid::bigint = pg_catalog.hashtextextended($2, 0) & 4294967295
  ) as is_relayed
from pg_catalog.pg_stat_activity a
join pg_catalog.pg_stat_activity me on me.pid = pg_catalog.pg_backend_pid()
where pg_catalog.starts_with(a.application_name, 'nightshift/holder ' || $1 || ' ')
  and a.datid = me.datid
  and a.usesysid = me.usesysid
order by a.xact_start desc nulls last, a.backend_start desc, a.pid desc;
