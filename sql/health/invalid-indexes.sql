-- Indexes that cost writes and answer no query: left behind by a CREATE or REINDEX INDEX CONCURRENTLY that failed.
-- Role: pg_monitor (without it the builds of other roles cannot be told from failed ones). Locks: none. Safe to rerun.
-- Not listed: indexes that are being built at this moment.
select
  1::float8 as value,
  namespace.nspname::text as schema_name,
  index_class.relname::text as index_name,
  table_class.relname::text as table_name,
  index.indisunique as is_unique,
  index_class.relname ~ '_cc(new|old)[0-9]*$' as is_rebuild,
  (index_class.relpages::bigint * current_setting('block_size')::bigint)::float8 as bytes
from pg_index as index
join pg_class as index_class on index_class.oid = index.indexrelid
join pg_class as table_class on table_class.oid = index.indrelid
join pg_namespace as namespace on namespace.oid = index_class.relnamespace
where not (index.indisvalid and index.indisready)
  and index_class.relkind = 'i'
  and not exists (
    select
    from pg_stat_progress_create_index as build
    where build.datname = current_database()
      and (
        build.index_relid = index.indexrelid
        -- A running REINDEX CONCURRENTLY has two indexes of the table in hand; only the new one is in index_relid.
        or (build.relid = index.indrelid and index_class.relname ~ '_cc(new|old)[0-9]*$')
      )
  )
order by index.indisunique desc, namespace.nspname, index_class.relname
limit 50;
