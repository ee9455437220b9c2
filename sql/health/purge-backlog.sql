-- The rows past retention that the newest counted run of each enabled policy has left, without those under a legal hold.
-- One row in all. Role: SELECT on nightshift.retention_policy and nightshift.purge_run, which bootstrap grants. Locks: none.
-- Safe to rerun.
select
  coalesce(sum(backlog), 0)::float8 as value,
  count(*)::integer as policies,
  (count(*) filter (where backlog is null))::integer as uncounted,
  (array_agg(policy order by backlog desc nulls last, policy))[1] as largest_policy,
  max(backlog)::float8 as largest
from (
  select
    policy.name as policy,
    -- greatest() passes over a null: what nobody has counted would become 0.
    case when counted.rows_left is not null then greatest(counted.rows_left - counted.rows_held, 0) end as backlog
  from nightshift.retention_policy as policy
  left join lateral (
    select
      run.rows_left,
      run.rows_held
    from nightshift.purge_run as run
    where run.policy = policy.name
      -- A run that works or was stopped has not counted: what the one before it has counted is the last that is known.
      and run.rows_left is not null
      and run.action <> 'erase'
    order by run.purge_run_id desc
    limit 1
  ) as counted on true
  where policy.enabled
) as of_policy;
