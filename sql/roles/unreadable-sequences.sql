-- Sequences that nightshift_health cannot read, so that their exhaustion would go unseen.
-- Role: the administrator. Locks: none. Safe to rerun. Sequences of other sessions' temporary tables are left out.
select
  format('%I.%I', n.nspname, c.relname) as sequence,
  format('grant select on sequence %I.%I to nightshift_health', n.nspname, c.relname) as statement,
  pg_get_userbyid(c.relowner) as owner,
  pg_has_role(c.relowner, 'usage') as may_grant
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relpersistence <> 't'
  -- CASE fixes the order: the function fails on anything that is not a sequence.
  and case when c.relkind = 'S' then not has_sequence_privilege('nightshift_health', c.oid, 'select') else false end
order by 1;
