-- A policy as one document, for its certificate. $1 = name. Role: nightshift_purge. Locks: none. Safe to rerun.
select to_jsonb(policy) as policy
from nightshift.retention_policy as policy
where name = $1;
