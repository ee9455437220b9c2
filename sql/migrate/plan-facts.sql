-- What speaks against a change of the schema right now: old transactions, sessions that wait for locks, replicas that lag, logical
-- slots and subscriptions of this database. Role: pg_monitor; without it the sessions of others are counted as hidden.
-- Locks: none. Safe to rerun.
with activity as (
  select
    a.pid,
    a.application_name,
    a.state,
    extract(epoch from clock_timestamp() - a.xact_start)::double precision as transaction_seconds,
    extract(epoch from clock_timestamp() - a.state_change)::double precision as state_seconds,
    a.wait_event_type,
    left(a.query, 2000) as query,
    a.backend_type
  from pg_stat_activity a
  where a.datname = current_database()
    and a.pid <> pg_backend_pid()
    and coalesce(a.application_name, '') not like 'nightshift/migrate%'
)
select
  (
    select coalesce(jsonb_agg(jsonb_build_object(
      'processId', pid,
      'applicationName', nullif(application_name, ''),
      'state', state,
      'transactionSeconds', round(transaction_seconds)::integer,
      'statement', query
    ) order by transaction_seconds desc), '[]')
    from activity
    where transaction_seconds >= $1
      and backend_type = 'client backend'
  ) as old_transactions,
  (
    select count(*)::integer
    from activity
    where wait_event_type = 'Lock'
      and state_seconds >= 1
  ) as lock_waiters,
  (
    select count(*)::integer
    from activity
    where query = '<insufficient privilege>'
  ) as hidden,
  (
    select max(extract(epoch from r.replay_lag))::double precision
    from pg_stat_replication r
  ) as replica_lag_seconds,
  (
    select coalesce(jsonb_agg(s.slot_name order by s.slot_name), '[]')
    from pg_replication_slots s
    where s.slot_type = 'logical'
      and s.database = current_database()
  ) as logical_slots,
  (
    select coalesce(jsonb_agg(u.subname order by u.subname), '[]')
    from pg_stat_subscription u
  ) as subscriptions;
