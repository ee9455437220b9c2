-- Tables that TRUNCATE … CASCADE empties besides those that it names: all that refer to them, and so on. $1 = their oids.
-- Any role; no locks; read only.
with recursive emptied (oid) as (
  select unnest($1::oid[])
  union
  select k.conrelid
  from pg_catalog.pg_constraint k
  join emptied e on e.oid = k.confrelid
  where k.contype = 'f'
)
select
  n.nspname::text as schema,
  c.relname::text as name
from emptied e
join pg_catalog.pg_class c on c.oid = e.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where e.oid <> all ($1::oid[])
order by 1, 2
