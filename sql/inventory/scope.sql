-- The beginning of the inventory: what belongs to an extension, the schemas and relations of the users. Not a statement of
-- its own: read-inventory.ts puts the other files of this folder behind it. Any role; read only; temporary tables left out.
with member as materialized (
  select
    d.classid,
    d.objid
  from pg_catalog.pg_depend d
  where d.deptype = 'e'
), space as materialized (
  select
    n.oid,
    n.nspname::text as name,
    '"' || replace(n.nspname, '"', '""') || '"' as quoted,
    n.nspowner,
    n.nspacl
  from pg_catalog.pg_namespace n
  -- The last are the records of a restore that is at work.
  where n.nspname not in ('information_schema', 'nightshift_restore')
    and n.nspname not like 'pg\_%'
), relation as materialized (
  select
    s.name as schema,
    c.relname::text as name,
    s.quoted || '."' || replace(c.relname, '"', '""') || '"' as qualified,
    c.*
  from pg_catalog.pg_class c
  join space s on s.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and c.relpersistence <> 't'
    and not exists (
      select
      from member
      where member.classid = 'pg_catalog.pg_class'::regclass
        and member.objid = c.oid
    )
)
