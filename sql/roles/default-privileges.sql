-- Whether sequences that nightshift_migrate makes later can be read by nightshift_health.
-- Role: nightshift_migrate. Locks: none. Safe to rerun.
select
  'select on future sequences of nightshift_migrate for nightshift_health' as what,
  'alter default privileges for role nightshift_migrate grant select on sequences to nightshift_health' as statement,
  exists (
    select
    from pg_default_acl d
    cross join lateral aclexplode(d.defaclacl) a
    where d.defaclnamespace = 0
      and d.defaclobjtype = 'S'
      and d.defaclrole = to_regrole('nightshift_migrate')
      and a.grantee = to_regrole('nightshift_health')
      and a.privilege_type = 'SELECT'
  ) as present;
