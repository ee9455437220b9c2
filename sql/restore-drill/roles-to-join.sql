-- Of the roles $1 those that the administrator of a drill target is no member of yet: without that it could not give them
-- what they own. A superuser needs none. Any role; no locks; read only.
select
  rolname as name,
  rolsuper as is_superuser
from pg_catalog.pg_roles
where rolname = any ($1::text[])
  and rolname <> current_user
  and not pg_catalog.pg_has_role(current_user, oid, 'member')
order by 1;
