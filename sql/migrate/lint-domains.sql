-- Domains with the type below them, and whether they or a domain below them check values. Role: any. Locks: none.
-- Safe to rerun.
with recursive layer as (
  select t.oid as domain, t.oid as type, t.typbasetype as below, t.typnotnull as not_null, t.typtypmod as modifier
  from pg_catalog.pg_type t
  where t.typtype = 'd'
  union all
  select l.domain, t.oid, t.typbasetype, t.typnotnull, t.typtypmod
  from layer l
  join pg_catalog.pg_type t on t.oid = l.below
  where t.typtype = 'd'
)
select
  n.nspname::text as schema,
  d.typname::text as name,
  bn.nspname::text as type_schema,
  case when e.oid is null then b.typname else e.typname end::text as type_name,
  e.oid is not null as is_array,
  d.typtypmod as modifier,
  exists (
    select
    from layer l
    where l.domain = d.oid
      and (
        l.not_null
        or exists (
          select
          from pg_catalog.pg_constraint k
          where k.contypid = l.type
            and k.contype = 'c'
        )
      )
  ) as is_constrained
from pg_catalog.pg_type d
join pg_catalog.pg_namespace n on n.oid = d.typnamespace
join pg_catalog.pg_type b on b.oid = d.typbasetype
left join pg_catalog.pg_type e on e.oid = b.typelem and b.typcategory = 'A'
join pg_catalog.pg_namespace bn on bn.oid = coalesce(e.typnamespace, b.typnamespace)
where d.typtype = 'd'
  and n.nspname not in ('pg_catalog', 'information_schema');
