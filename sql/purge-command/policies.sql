-- All policies with how the newest run of each ended, the holds and the stop flags, for a person who asks what there is.
-- Role: nightshift_purge. Locks: none. Safe to rerun.
select
  policy.name,
  format('%s.%s', policy.schema_name, policy.table_name) as "table",
  policy.action,
  policy.timestamp_column::text as "timestampColumn",
  policy.retention::text as retention,
  policy.predicate,
  policy.archive_before_delete as "archives",
  policy.enabled,
  policy.version,
  policy.reason,
  run.state as "lastState",
  to_char(run.changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "lastAt",
  run.rows_done::text as "lastDone",
  run.rows_left::text as "lastLeft",
  run.certificate_key as "certificateKey"
from nightshift.retention_policy as policy
left join lateral (
  select
    newest.state,
    newest.changed_at,
    (
      select sum(of_series.rows_done)
      from nightshift.purge_run as of_series
      where coalesce(of_series.series_id, of_series.purge_run_id) = coalesce(newest.series_id, newest.purge_run_id)
    ) as rows_done,
    newest.rows_left,
    newest.certificate_key
  from nightshift.purge_run as newest
  where newest.policy = policy.name
  order by newest.purge_run_id desc
  limit 1
) as run on true
order by policy.name;
