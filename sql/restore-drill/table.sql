-- One table of the scratch database: its columns, whether its owner is held by row level security too, whether money is in
-- it, and the condition of an extension's configuration table. Any role; no locks; read only.
select
  array(
    select a.attname::text
    from pg_catalog.pg_attribute a
    where a.attrelid = c.oid
      and a.attnum > 0
      and not a.attisdropped
  ) as columns,
  c.relforcerowsecurity as is_forced,
  exists (
    select
    from pg_catalog.pg_attribute a
    where a.attrelid = c.oid
      and a.atttypid = 'money'::regtype
  ) as has_money,
  (
    select configured.condition
    from pg_catalog.pg_extension e,
      unnest(e.extconfig, e.extcondition) as configured (table_oid, condition)
    where configured.table_oid = c.oid
  ) as condition
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1
  and c.relname = $2
  and c.relkind = 'r';
