-- Tables with classified personal data that no policy ever purges. Role: nightshift_purge. Locks: none. Safe to rerun.
select
  format('%s.%s', schema_name, table_name) as "table",
  to_json(columns) as columns
from nightshift.pii_without_policy
order by 1;
