-- Locks on relations that a session holds or waits for, without those on the catalog; $1 = its process id.
-- Any role; no locks; read only.
select distinct
  l.relation::int8 as oid,
  l.mode
from pg_catalog.pg_locks l
where l.pid = $1
  and l.locktype = 'relation'
  and l.relation >= 16384
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
