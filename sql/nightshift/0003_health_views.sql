-- The health figures that a person can read in psql: database_health, slow_queries and check_database_health().
-- Role: nightshift_migrate. Locks: none; nothing else uses these names yet. Applied once, recorded.
-- The caller needs pg_monitor (nightshift_health has it): without it sessions of others are hidden, and status is UNKNOWN.

-- One value per row as a number with its unit; pretty printing is the reader's business (bigint and text do not union).
create view nightshift.database_health as
select
  'active_connections' as metric,
  count(*) filter (where state = 'active')::numeric as value,
  'sessions' as unit,
  'client sessions that run a statement now' as description
from pg_catalog.pg_stat_activity
where backend_type = 'client backend'
union all
select
  'connections',
  count(*)::numeric,
  'sessions',
  'client sessions, whatever they do'
from pg_catalog.pg_stat_activity
where backend_type = 'client backend'
union all
select
  'database_size',
  pg_catalog.pg_database_size(pg_catalog.current_database())::numeric,
  'bytes',
  'size of this database on disk'
union all
select
  'index_usage',
  -- Null means that no table has been read yet. The unguarded division fails with 22012 then.
  round(100.0 * sum(coalesce(idx_scan, 0)) / nullif(sum(seq_scan + coalesce(idx_scan, 0)), 0), 2),
  'percent',
  'share of scans of user tables that use an index, since the statistics were reset'
from pg_catalog.pg_stat_user_tables
union all
select
  'cache_hit',
  round(100.0 * blks_hit / nullif(blks_hit + blks_read, 0), 2),
  'percent',
  'share of blocks of this database found in shared buffers, since the statistics were reset'
from pg_catalog.pg_stat_database
where datname = pg_catalog.current_database()
union all
select
  'oldest_transaction',
  round(coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::numeric, 1),
  'seconds',
  'age of the oldest open transaction of a client'
from pg_catalog.pg_stat_activity
where backend_type = 'client backend' and pid <> pg_catalog.pg_backend_pid();

comment on view nightshift.database_health is
  'One row per figure: metric, value, unit, description. A null value means no data, not zero.';

-- Reads pg_stat_statements by name at run time: the view below exists with or without the extension, survives its
-- removal, and uses the column names of PostgreSQL 13 and later (total_exec_time; total_time was renamed).
create function nightshift.read_slow_queries(min_mean_ms double precision, max_rows integer)
  returns table (
    query text,
    calls bigint,
    total_exec_ms double precision,
    mean_exec_ms double precision,
    rows bigint,
    hit_percent numeric
  )
  language plpgsql
  stable
  set search_path = pg_catalog, pg_temp
as $$
declare
  extension_schema name;
begin
  select n.nspname
  into extension_schema
  from pg_extension e
  join pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'pg_stat_statements';
  if not found then
    raise exception 'slow queries are not known: extension pg_stat_statements is not installed in database "%"', current_database()
      using errcode = 'undefined_object',
            hint = 'add pg_stat_statements to shared_preload_libraries, restart, then: create extension pg_stat_statements';
  end if;
  return query execute format(
    'select s.query,
            s.calls,
            s.total_exec_time,
            s.mean_exec_time,
            s.rows,
            round(100.0 * s.shared_blks_hit / nullif(s.shared_blks_hit + s.shared_blks_read, 0), 1)
     from %I.pg_stat_statements s
     where s.mean_exec_time >= $1
       and s.dbid = (select oid from pg_database where datname = current_database())
     order by s.mean_exec_time desc
     limit $2', extension_schema)
    using min_mean_ms, max_rows;
end
$$;

-- Statements that take more than 100 ms on average, the slowest ten (figures of the brief).
create view nightshift.slow_queries as
select query, calls, total_exec_ms, mean_exec_ms, rows, hit_percent
from nightshift.read_slow_queries(100, 10);

comment on view nightshift.slow_queries is
  'The ten statements with the longest mean time above 100 ms. Fails with the reason where pg_stat_statements is missing.';

-- Thresholds are shares of the server's own limits, so that they fit a small and a large instance alike.
create function nightshift.check_database_health()
  returns table (check_name text, status text, value numeric, unit text, warning numeric, critical numeric, details text)
  language sql
  stable
  set search_path = pg_catalog, pg_temp
as $$
  with settings as (
    select
      current_setting('max_connections')::numeric
        - current_setting('superuser_reserved_connections')::numeric
        - coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::numeric as connection_limit,
      current_setting('autovacuum_freeze_max_age')::numeric as freeze_max_age,
      pg_has_role('pg_read_all_stats', 'usage') as sees_all
  ),
  sessions as (
    select
      count(*)::numeric as connections,
      max(extract(epoch from clock_timestamp() - state_change)) filter (where state like 'idle in transaction%') as idle_tx,
      max(extract(epoch from clock_timestamp() - xact_start))
        filter (where state is distinct from 'idle' and application_name not like 'nightshift/%') as long_tx
    from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()
  ),
  dead_rows as (
    select
      round(100.0 * sum(n_dead_tup) / nullif(sum(n_live_tup + n_dead_tup), 0), 1) as percent,
      (array_agg(format('%I.%I', schemaname, relname) order by n_dead_tup desc))[1] as worst
    from pg_stat_user_tables
    where n_live_tup + n_dead_tup > 10000
  ),
  figures as (
    select
      'connections' as check_name, round(100.0 * connections / nullif(connection_limit, 0), 1) as value, 'percent' as unit,
      80 as warning, 90 as critical, true as readable,
      format('%s of %s client connections are in use', connections, connection_limit) as details
    from sessions, settings
    union all
    select
      'idle_in_transaction', round(coalesce(idle_tx, 0)::numeric, 1), 'seconds', 300, 900, sees_all,
      'age of the oldest session that is idle in a transaction'
    from sessions, settings
    union all
    select
      'long_transaction', round(coalesce(long_tx, 0)::numeric, 1), 'seconds', 900, 3600, sees_all,
      'age of the oldest open transaction'
    from sessions, settings
    union all
    select
      'transaction_id_age', round(100.0 * max(age(datfrozenxid)) / max(freeze_max_age), 1), 'percent', 110, 150, true,
      format('the oldest database is %s transactions old; autovacuum must act at %s', max(age(datfrozenxid)), max(freeze_max_age))
    from pg_database, settings
    union all
    select
      'dead_rows', coalesce(percent, 0), 'percent', 20, 40, true,
      coalesce('dead rows in tables of more than 10,000 rows, most in ' || worst, 'no table has more than 10,000 rows')
    from dead_rows
    union all
    select
      'cache_hit', case when blks_hit + blks_read >= 10000 then round(100.0 * blks_hit / (blks_hit + blks_read), 1) end,
      'percent', 95, 90, true,
      format('%s of %s blocks came from shared buffers', blks_hit, blks_hit + blks_read)
    from pg_stat_database
    where datname = current_database()
    union all
    select
      'replay_lag',
      case
        when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
        else round(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::numeric, 1)
      end,
      'seconds', 30, 300, true, 'how far this replica is behind its primary'
    where pg_is_in_recovery()
  )
  select
    check_name,
    case
      when not readable then 'UNKNOWN'
      when value is null then 'UNKNOWN'
      when check_name = 'cache_hit' and value < critical then 'CRITICAL'
      when check_name = 'cache_hit' and value < warning then 'WARNING'
      when check_name <> 'cache_hit' and value >= critical then 'CRITICAL'
      when check_name <> 'cache_hit' and value >= warning then 'WARNING'
      else 'OK'
    end,
    case when readable then value end,
    unit,
    warning::numeric,
    critical::numeric,
    case
      when not readable then format('not readable for role "%s": grant pg_read_all_stats to it', current_user)
      when value is null and check_name = 'cache_hit' then 'no data yet: fewer than 10,000 blocks were read'
      else details
    end
  from figures
$$;

comment on function nightshift.check_database_health() is
  'OK, WARNING, CRITICAL or UNKNOWN per check, with the value and both thresholds. UNKNOWN means that nobody could look; it is never OK.';

revoke execute on function nightshift.check_database_health() from public;
revoke execute on function nightshift.read_slow_queries(double precision, integer) from public;
