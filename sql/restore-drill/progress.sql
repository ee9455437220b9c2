-- How many steps of the restore into this scratch database are done, and how many sessions of it still work on the server
-- although their client may be gone. Whoever made the records; no locks; read only.
select
  (select count(*)::int from nightshift_restore.step) as done,
  (
    select count(*)::int
    from pg_catalog.pg_stat_activity
    where datname = current_database()
      and usename = current_user
      and pid <> pg_backend_pid()
      and state = 'active'
  ) as busy;
