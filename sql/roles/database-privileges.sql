-- The rights on the database that the roles must have, and whether they have them.
-- Role: the administrator, who must own the database or hold these rights with grant option. Locks: none. Safe to rerun.
-- A right that PUBLIC has counts as missing: it would go when somebody revokes it from PUBLIC.
with wanted (role_name, privilege) as (
  values
    ('nightshift_backup', 'connect'),
    ('nightshift_purge', 'connect'),
    ('nightshift_health', 'connect'),
    ('nightshift_migrate', 'connect'),
    ('nightshift_migrate', 'create'),
    ('nightshift_migrate', 'temporary')
)
select
  format('%s on database for %s', w.privilege, w.role_name) as what,
  format('grant %s on database %I to %I', w.privilege, d.datname, w.role_name) as statement,
  exists (
    select
    from aclexplode(d.datacl) a
    join pg_roles r on r.oid = a.grantee
    where r.rolname = w.role_name
      and lower(a.privilege_type) = w.privilege
  ) as present
from wanted w, pg_database d
where d.datname = current_database()
order by 1;
