-- What a database holds besides what an empty one has: the first ten of the relations, functions, schemas and large objects that
-- belong to no extension. Any role; no locks; read only.
with found as (
  select 1 as kind, 'relation ' || c.oid::regclass::text as name
  from pg_catalog.pg_class c
  where c.relnamespace not in (select n.oid from pg_catalog.pg_namespace n where n.nspname ~ '^(pg_|information_schema$|nightshift_restore$)')
    and not exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype in ('e', 'i')
    )
    and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select 2, 'function ' || p.oid::regprocedure::text
  from pg_catalog.pg_proc p
  where p.pronamespace not in (select n.oid from pg_catalog.pg_namespace n where n.nspname ~ '^(pg_|information_schema$)')
    and not exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    )
  union all
  select 3, 'schema ' || n.oid::regnamespace::text
  from pg_catalog.pg_namespace n
  where n.nspname !~ '^(pg_|information_schema$|nightshift_restore$|public$)'
    and not exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e'
    )
  union all
  select 4, 'large object ' || m.oid
  from pg_catalog.pg_largeobject_metadata m
)
select name, count(*) over ()::int as total
from found
order by kind, name
limit 10;
