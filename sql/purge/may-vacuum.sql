-- Whether this role may VACUUM a table: as its owner, or since PostgreSQL 17 by MAINTAIN. $1 = oid. The server itself only
-- warns, and the VACUUM then looks done. Role: any. Locks: none. Safe to rerun.
select
  pg_has_role(class.relowner, 'usage')
    or (
      current_setting('server_version_num')::int >= 170000
      and exists (
        select
        from aclexplode(class.relacl) as granted
        where granted.privilege_type = 'MAINTAIN'
          and (granted.grantee = 0 or pg_has_role(granted.grantee, 'usage'))
      )
    )
    or exists (select from pg_roles where rolname = current_user and rolsuper)
    or exists (
      select
      from pg_roles as maintainer
      where maintainer.rolname = 'pg_maintain'
        and pg_has_role(maintainer.oid, 'usage')
    ) as may_vacuum,
  current_setting('server_version_num')::int >= 170000 as grant_helps
from pg_class as class
where class.oid = $1::oid;
