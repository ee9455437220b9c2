-- The conditions under which pg_dump takes rows of an extension's configuration table: they are not in the archive.
-- Any role; no locks; read only.
select
  configured.table_oid::text as oid,
  configured.condition
from pg_catalog.pg_extension e,
  unnest(e.extconfig, e.extcondition) as configured (table_oid, condition)
where configured.condition <> '';
