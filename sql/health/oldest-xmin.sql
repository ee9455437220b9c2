-- What keeps vacuum from removing dead rows: the holders of the oldest transaction ids, oldest first.
-- Role: pg_monitor (without it the sessions of other roles have no name). Locks: none. Safe to rerun.
with holder as (
  select
    'session' as kind,
    pid::text as name,
    age(backend_xmin) as xmin_age,
    usename::text as role_name,
    application_name::text as application_name,
    state::text as state,
    extract(epoch from clock_timestamp() - xact_start)::float8 as open_seconds
  from pg_stat_activity
  where backend_xmin is not null
    and backend_type <> 'walsender'
    and pid <> pg_backend_pid()
  union all
  select
    'slot',
    slot_name::text,
    greatest(age(xmin), age(catalog_xmin)),
    null,
    plugin::text,
    case when active then 'active' else 'inactive' end,
    null
  from pg_replication_slots
  where xmin is not null
    or catalog_xmin is not null
  union all
  select
    'prepared',
    gid,
    age(transaction),
    owner::text,
    database::text,
    'prepared',
    extract(epoch from clock_timestamp() - prepared)::float8
  from pg_prepared_xacts
  union all
  select
    'standby',
    pid::text,
    age(backend_xmin),
    usename::text,
    application_name::text,
    state::text,
    null
  from pg_stat_replication
  where backend_xmin is not null
)
select
  xmin_age::float8 as value,
  kind,
  name,
  role_name,
  application_name,
  state,
  open_seconds
from holder
order by xmin_age desc
limit 5;
