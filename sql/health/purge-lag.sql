-- For how long each retention policy has waited for a finished purge: since its newest one began, or since the policy was
-- changed or added, whichever is later. The one that waits longest first; no row without a policy that is enabled.
-- Role: SELECT on nightshift.retention_policy and nightshift.purge_run, which bootstrap grants. Locks: none. Safe to rerun.
select
  greatest(
    extract(epoch from clock_timestamp() - greatest(policy.changed_at, finished.started_at)),
    0
  )::float8 as value,
  policy.name as policy,
  finished.started_at is null as is_first
from nightshift.retention_policy as policy
left join lateral (
  select started_at
  from nightshift.purge_run as run
  where run.policy = policy.name
    and run.state = 'finished'
    -- The erasure of a person is no run of a policy.
    and run.action <> 'erase'
  order by run.purge_run_id desc
  limit 1
) as finished on true
where policy.enabled
order by value desc, policy.name
limit 1;
