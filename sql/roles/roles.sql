-- The roles as they are now: attributes, connection limit, own settings, memberships. $1 = role names.
-- Role: the administrator. Locks: none. Safe to rerun.
select
  r.rolname as name,
  r.rolcanlogin as login,
  r.rolsuper as superuser,
  r.rolcreatedb as createdb,
  r.rolcreaterole as createrole,
  r.rolreplication as replication,
  r.rolbypassrls as bypassrls,
  r.rolinherit as inherit,
  r.rolconnlimit as connection_limit,
  coalesce((
    select s.setconfig
    from pg_db_role_setting s
    where s.setrole = r.oid
      and s.setdatabase = 0
  ), '{}') as settings,
  array(
    -- From 16 on the same membership can have been granted more than once, by different roles.
    select distinct g.rolname::text
    from pg_auth_members m
    join pg_roles g on g.oid = m.roleid
    where m.member = r.oid
    order by 1
  ) as member_of
from pg_roles r
where r.rolname = any ($1::name[]);
