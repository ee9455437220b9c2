-- What a holder of the relay has to know between two looks: whether somebody ends the backup (application_name $1) and in
-- how many looks no worker was seen. Any role; no locks; in the transaction of the snapshot.
select
  exists (
    select
    from pg_catalog.pg_stat_activity a
    join pg_catalog.pg_stat_activity me on me.pid = pg_catalog.pg_backend_pid()
    where a.application_name = $1
      and a.datid = me.datid
      and a.usesysid = me.usesysid
  ) as is_ended,
  pg_catalog.current_setting('nightshift.holder_unseen')::int as unseen;
