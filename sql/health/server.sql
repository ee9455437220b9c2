-- Which server answers, since when, and what the role of this session may see. Runs before all checks.
-- Role: any. Locks: none. Safe to rerun.
select
  current_setting('server_version') as version,
  current_setting('server_version_num')::int as version_number,
  pg_is_in_recovery() as in_recovery,
  extract(epoch from now() - pg_postmaster_start_time())::float8 as up_seconds,
  current_user::text as role_name,
  pg_has_role(current_user, 'pg_read_all_stats', 'usage') as reads_all_stats;
