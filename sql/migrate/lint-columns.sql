-- Columns of the tables that lint-tables.sql lists, each with type and type modifier. Role: any. Locks: none. Safe to rerun.
select
  a.attrelid::bigint::float8 as table_id,
  a.attname::text as name,
  tn.nspname::text as type_schema,
  case when e.oid is null then t.typname else e.typname end::text as type_name,
  e.oid is not null as is_array,
  a.atttypmod as modifier,
  -- PostgreSQL 18 sets attnotnull also for a constraint that is NOT VALID: then old rows may hold nulls.
  a.attnotnull
    and not exists (
      select
      from pg_catalog.pg_constraint k
      where k.conrelid = a.attrelid
        and k.contype = 'n'
        and not k.convalidated
        and a.attnum = any (k.conkey)
    ) as not_null
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_type e on e.oid = t.typelem and t.typcategory = 'A'
join pg_catalog.pg_namespace tn on tn.oid = coalesce(e.typnamespace, t.typnamespace)
where a.attnum > 0
  and not a.attisdropped
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  and n.nspname !~ '^pg_(toast_)?temp_'
order by a.attrelid, a.attnum;
