-- The tables whose rows pg_dump puts into the archive: ordinary tables and partitions, but not those of an extension
-- (unless it marked them as configuration, then with its condition). Any role; no locks; read only.
select
  n.nspname as schema,
  c.relname as name,
  config.condition
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_depend extension_member
  on extension_member.classid = 'pg_catalog.pg_class'::regclass
  and extension_member.objid = c.oid
  and extension_member.deptype = 'e'
left join lateral (
  select configured.condition
  from pg_catalog.pg_extension e,
    unnest(e.extconfig, e.extcondition) as configured (table_oid, condition)
  where configured.table_oid = c.oid
) config on true
where c.relkind = 'r'
  and c.relpersistence <> 't'
  and n.nspname not in ('information_schema', 'nightshift_restore')
  and n.nspname not like 'pg\_%'
  and (extension_member.objid is null or config.condition is not null)
order by 1, 2;
