-- Tables, views and materialized views of all schemas but the server's own. Role: any; the sizes need no right.
-- Locks: pg_relation_size opens each table with ACCESS SHARE for a moment. Safe to rerun.
-- Bytes are those of the rows alone, 0 for an empty table. Rows and bytes of a partitioned table are those of its partitions; estimated_rows is null when nobody has analyzed it.
with recursive member as (
  select c.oid as root, c.oid as leaf
  from pg_catalog.pg_class c
  where c.relkind in ('r', 'p')
  union all
  select m.root, i.inhrelid
  from member m
  join pg_catalog.pg_inherits i on i.inhparent = m.leaf
),
size as (
  select
    m.root,
    sum(c.reltuples) filter (where c.reltuples >= 0) as estimated_rows,
    sum(pg_catalog.pg_relation_size(c.oid) + coalesce(pg_catalog.pg_relation_size(nullif(c.reltoastrelid, 0)), 0)) as bytes
  from member m
  join pg_catalog.pg_class c on c.oid = m.leaf
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
    and c.relkind = 'r'
  group by m.root
)
select
  c.oid::bigint::float8 as id,
  n.nspname::text as schema,
  c.relname::text as name,
  c.relkind::text as kind,
  case when c.relkind = 'm' then nullif(c.reltuples, -1)::float8 else s.estimated_rows::float8 end as estimated_rows,
  coalesce(case when c.relkind = 'm' then pg_catalog.pg_relation_size(c.oid) else s.bytes end, 0)::float8 as bytes,
  c.relpersistence = 'u' as is_unlogged,
  coalesce(am.amname, '')::text as access_method,
  coalesce(t.spcname, '')::text as tablespace,
  c.relrowsecurity as row_security,
  c.relforcerowsecurity as forces_row_security,
  pg_catalog.pg_has_role(c.relowner, 'usage') as is_owned
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join size s on s.root = c.oid
left join pg_catalog.pg_am am on am.oid = c.relam
left join pg_catalog.pg_tablespace t on t.oid = c.reltablespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  and n.nspname !~ '^pg_(toast_)?temp_';
