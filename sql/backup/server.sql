-- Which server and database this is, as the plan and the manifest record it. Any role; no locks; read only.
select
  current_setting('server_version') as version,
  current_setting('server_version_num')::int / 10000 as major,
  exists (select from pg_catalog.pg_proc where proname = 'aurora_version') as aurora,
  (select system_identifier::text from pg_catalog.pg_control_system()) as server_id,
  pg_catalog.pg_encoding_to_char(encoding) as encoding,
  pg_catalog.pg_current_snapshot()::text as snapshot,
  pg_catalog.date_trunc('milliseconds', pg_catalog.transaction_timestamp()) as taken_at,
  pg_catalog.pg_postmaster_start_time()::text as started_at,
  -- Null on a unix socket, where there is only this one server.
  coalesce(pg_catalog.host(pg_catalog.inet_server_addr()) || ':' || pg_catalog.inet_server_port(), 'local') as address,
  -- Only up to PostgreSQL 16; anything but -1 lets the server throw away rows that a long snapshot still sees.
  current_setting('old_snapshot_threshold', true) as old_snapshot_threshold
from pg_catalog.pg_database
where datname = pg_catalog.current_database();
