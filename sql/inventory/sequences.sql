-- Sequences with what they were made with; their values are in the manifest. Any role; no locks; read only.
select
  'sequence' as kind,
  r.schema,
  r.name as relation,
  r.qualified as identity,
  concat_ws(
    ' ',
    'persistence ' || r.relpersistence::text,
    'as ' || pg_catalog.format_type(s.seqtypid, null),
    'start ' || s.seqstart,
    'increment ' || s.seqincrement,
    'from ' || s.seqmin || ' to ' || s.seqmax,
    'cache ' || s.seqcache,
    'cycle ' || s.seqcycle,
    (
      select
        case d.deptype when 'i' then 'identity of ' else 'owned by ' end || d.refobjid::regclass || ' column ' || a.attname
      from pg_catalog.pg_depend d
      join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      where d.classid = 'pg_catalog.pg_class'::regclass
        and d.objid = r.oid
        and d.refclassid = 'pg_catalog.pg_class'::regclass
        and d.deptype in ('a', 'i')
      limit 1
    )
  ) as definition,
  r.relowner as owner,
  r.relacl as acl,
  's'::"char" as acl_type
from relation r
join pg_catalog.pg_sequence s on s.seqrelid = r.oid
