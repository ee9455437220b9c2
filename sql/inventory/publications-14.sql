-- Publications and their tables on PostgreSQL 14. Any role; no locks; read only.
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
  null,
  null,
  null,
  null
from pg_catalog.pg_publication_rel pr
join pg_catalog.pg_publication p on p.oid = pr.prpubid
join relation r on r.oid = pr.prrelid
