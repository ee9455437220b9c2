-- Which server this is. Role: any. Locks: none. Safe to rerun.
select
  (select system_identifier::text from pg_control_system()) as system_identifier,
  current_setting('server_version') as version;
