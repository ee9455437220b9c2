-- Keeps the snapshot and the locks of this transaction, with or without a client: returns when nightshift.holder_life
-- seconds are over, or when no worker of the backup was seen in nightshift.holder_alone looks, one a second.
-- Lets workers pass a queued DDL (docs/decisions/0011-workers-pass-a-queued-ddl.md).
-- After prepare-holder.sql, on PostgreSQL 14 and newer. Role: that of the workers. Locks: at times waits for the key of
-- the workers (exclusive) for deadlock_timeout and half a second; keeps nothing.
do $holder$
declare
  worker constant text := pg_catalog.current_setting('nightshift.holder_worker');
  worker_key constant bigint :=
    pg_catalog.hashtextextended(pg_catalog.current_setting('nightshift.holder_key'), 0);
  most_unseen constant int := pg_catalog.current_setting('nightshift.holder_alone')::int;
  ends_at constant timestamptz := pg_catalog.clock_timestamp()
    + pg_catalog.make_interval(secs => pg_catalog.current_setting('nightshift.holder_life')::int);
  -- The server looks for a cycle once, deadlock_timeout after a wait has begun: a shorter wait would have no effect.
  patience_ms constant bigint :=
    (select setting::bigint + 500 from pg_catalog.pg_settings where name = 'deadlock_timeout');
  -- Counted in looks, not in time: a server that stood still has seen nobody for a reason of its own.
  unseen int := pg_catalog.current_setting('nightshift.holder_unseen')::int;
  is_seen boolean;
  waits boolean;
begin
  while unseen < most_unseen and pg_catalog.clock_timestamp() < ends_at loop
    perform pg_catalog.pg_sleep(1);
    -- Within a transaction pg_stat_activity would stay what it was at the first look.
    perform pg_catalog.pg_stat_clear_snapshot();
    select
      pg_catalog.count(*) > 0,
      coalesce(pg_catalog.bool_or(a.wait_event_type = 'Lock' and a.wait_event = 'relation'), false)
    into is_seen, waits
    from pg_catalog.pg_stat_activity a
    join pg_catalog.pg_stat_activity me on me.pid = pg_catalog.pg_backend_pid()
    where a.application_name = worker
      and a.datid = me.datid
      and a.usesysid = me.usesysid
      and a.pid <> me.pid
      -- Outside of a transaction it reads nothing: it is in a pool, or its client is gone.
      and a.state is distinct from 'idle';
    unseen := case when is_seen then 0 else unseen + 1 end;
    -- Only when a worker waits at all: with many tables locked, pg_locks is long and briefly stops the lock manager.
    if waits and exists (
      select
      from pg_catalog.pg_locks w
      join pg_catalog.pg_stat_activity a on a.pid = w.pid
      join pg_catalog.pg_stat_activity me on me.pid = pg_catalog.pg_backend_pid()
      where a.application_name = worker
        and a.datid = me.datid
        and a.usesysid = me.usesysid
        and w.locktype = 'relation'
        and not w.granted
        -- It waits behind a waiter. Behind a holder it has to wait, and a wait of ours could make a real deadlock.
        and not exists (
          select
          from pg_catalog.pg_locks h
          where h.locktype = 'relation'
            and h.database = w.database
            and h.relation = w.relation
            and h.mode = 'AccessExclusiveLock'
            and h.granted
        )
    ) then
      begin
        perform pg_catalog.set_config('lock_timeout', patience_ms::text, true);
        -- All workers hold it shared: each cycle worker -> queued DDL -> this session -> worker is closed by this wait.
        perform pg_catalog.pg_advisory_lock(worker_key);
        perform pg_catalog.pg_advisory_unlock(worker_key);
      exception
        -- The usual end of the wait. A deadlock is this session's own to give way in.
        when lock_not_available or deadlock_detected then
          null;
      end;
      perform pg_catalog.set_config('lock_timeout', '0', true);
    end if;
  end loop;
  -- For a relay, which runs this again and again.
  perform pg_catalog.set_config('nightshift.holder_unseen', unseen::text, true);
end
$holder$;
