-- How many more sessions this role could open now: what the server, the database and the role allow, less what is open.
-- Any role (other roles' sessions are counted although their queries are hidden); no locks; read only.
select least(
  current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    -- Since PostgreSQL 16.
    - coalesce(current_setting('reserved_connections', true)::int, 0)
    - (select count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend'),
  (
    select case when d.datconnlimit < 0 then null else d.datconnlimit - count(a.pid) end
    from pg_catalog.pg_database d
    left join pg_catalog.pg_stat_activity a on a.datid = d.oid and a.backend_type = 'client backend'
    where d.datname = pg_catalog.current_database()
    group by d.datconnlimit
  ),
  (
    select case when r.rolconnlimit < 0 then null else r.rolconnlimit - count(a.pid) end
    from pg_catalog.pg_roles r
    left join pg_catalog.pg_stat_activity a on a.usesysid = r.oid and a.backend_type = 'client backend'
    where r.rolname = current_user
    group by r.rolconnlimit
  )
)::int as free;
