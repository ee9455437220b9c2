-- Which server and database this is, as the manifest records it. Any role; no locks; read only.
select
  current_setting('server_version') as version,
  current_setting('server_version_num')::int / 10000 as major,
  exists (select from pg_catalog.pg_proc where proname = 'aurora_version') as aurora,
  (select system_identifier::text from pg_catalog.pg_control_system()) as server_id,
  pg_catalog.pg_encoding_to_char(encoding) as encoding,
  pg_catalog.pg_current_snapshot()::text as snapshot,
  pg_catalog.date_trunc('milliseconds', pg_catalog.transaction_timestamp()) as taken_at,
  pg_catalog.pg_database_size(oid)::text as database_bytes
from pg_catalog.pg_database
where datname = pg_catalog.current_database();
