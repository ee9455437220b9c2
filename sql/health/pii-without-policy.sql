-- Tables with classified personal data that no enabled policy ever purges.
-- Role: SELECT on nightshift.pii_without_policy, which bootstrap grants. Locks: none. Safe to rerun.
select
  (count(*) over ())::float8 as value,
  schema_name::text as schema_name,
  table_name::text as table_name,
  columns
from nightshift.pii_without_policy
order by schema_name, table_name
limit 1;
