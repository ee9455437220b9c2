-- Publications, their tables with columns and row filters, and their schemas; since PostgreSQL 15. Any role; read only.
select
  'publication' as kind,
  null::text as schema,
  null::text as relation,
  '"' || replace(p.pubname, '"', '""') || '"' as identity,
  (to_jsonb(p) - array['oid', 'pubname', 'pubowner'])::text as definition,
  p.pubowner as owner,
  null::aclitem[] as acl,
  null::"char" as acl_type
from pg_catalog.pg_publication p
union all
select
  'table of publication',
  r.schema,
  r.name,
  '"' || replace(p.pubname, '"', '""') || '" ' || r.qualified,
  concat_ws(
    ' ',
    (
      select string_agg(a.attname, ', ' order by a.attname)
      from unnest(pr.prattrs) as one (number)
      join pg_catalog.pg_attribute a on a.attrelid = pr.prrelid and a.attnum = one.number
    ),
    'where ' || pg_catalog.pg_get_expr(pr.prqual, pr.prrelid)
  ),
  null,
  null,
  null
from pg_catalog.pg_publication_rel pr
join pg_catalog.pg_publication p on p.oid = pr.prpubid
join relation r on r.oid = pr.prrelid
union all
select
  'schema of publication',
  s.name,
  null,
  '"' || replace(p.pubname, '"', '""') || '" ' || s.quoted,
  null,
  null,
  null,
  null
from pg_catalog.pg_publication_namespace pn
join pg_catalog.pg_publication p on p.oid = pn.pnpubid
join space s on s.oid = pn.pnnspid
