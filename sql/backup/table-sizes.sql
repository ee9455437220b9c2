-- Where the rows of the tables $1 lie and how much there is, for the plan. relfilenode comes from the snapshot.
-- Any role; takes ACCESS SHARE, which the session holds on these tables already; read only.
select
  c.oid::text as oid,
  c.relfilenode::text as relfilenode,
  am.amname = 'heap' as is_heap,
  (pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::bigint)::text as blocks,
  -- Heap, TOAST with its index, free space and visibility maps.
  pg_catalog.pg_table_size(c.oid)::text as bytes
from pg_catalog.pg_class c
left join pg_catalog.pg_am am on am.oid = c.relam
where c.oid = any ($1::oid[]);
