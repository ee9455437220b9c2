-- Indexes that on-tables.sql leaves out, as pg_dump does: those that a broken CREATE INDEX CONCURRENTLY has left. Only for
-- comparisons within one server. Any role; no locks; read only.
select
  'invalid index' as kind,
  r.schema,
  r.name as relation,
  r.qualified || ' "' || replace(c.relname, '"', '""') || '"' as identity,
  concat_ws(
    ' ',
    pg_catalog.pg_get_indexdef(i.indexrelid),
    'valid ' || i.indisvalid,
    'ready ' || i.indisready
  ) as definition,
  null::oid as owner,
  null::aclitem[] as acl,
  null::"char" as acl_type
from relation r
join pg_catalog.pg_index i on i.indrelid = r.oid
join pg_catalog.pg_class c on c.oid = i.indexrelid
where not ((i.indisvalid or r.relkind = 'p') and i.indisready)
