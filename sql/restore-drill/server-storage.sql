-- What the check of free storage asks the server that a drill restores into: whether it is Aurora, and the size of the database
-- named $1; null when it is not there, or pg_database_size would refuse this role. Any role; no locks; read only.
select
  exists (select from pg_catalog.pg_proc where proname = 'aurora_version') as aurora,
  (
    select pg_catalog.pg_database_size(oid)::text
    from pg_catalog.pg_database
    where datname = $1
      and (
        pg_catalog.has_database_privilege(oid, 'connect')
        or pg_catalog.pg_has_role('pg_read_all_stats', 'usage')
      )
  ) as bytes;
