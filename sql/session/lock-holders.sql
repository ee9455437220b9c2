-- Who holds the advisory lock named $1 in this database. Columns of sessions that the role may not see are null.
-- Role: any; pg_read_all_stats to see the sessions of other roles. Locks: none. Safe to rerun.
with wanted as (
  select hashtextextended($1, 0) as key
)
select
  l.pid as process_id,
  case when l.mode = 'ExclusiveLock' then 'exclusive' else 'shared' end as mode,
  nullif(a.application_name, '') as application_name,
  a.usename::text as role,
  a.backend_start as session_started_at,
  a.state,
  round(extract(epoch from clock_timestamp() - a.query_start))::integer as statement_age_seconds
from wanted w
join pg_locks l
  -- A bigint key is shown as two halves of 32 bits, marked by objsubid 1.
  on l.locktype = 'advisory'
  and l.objsubid = 1
  and l.classid::bigint = (w.key >> 32) & 4294967295
  and l.objid::bigint = w.key & 4294967295
  and l.granted
  and l.database = (select oid from pg_database where datname = current_database())
left join pg_stat_activity a on a.pid = l.pid
order by a.backend_start nulls last, l.pid;
