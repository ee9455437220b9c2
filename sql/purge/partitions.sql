-- The partitions of the table $1 (oid), oldest first: which are past the cutoff $2 as a whole, and are not among the $3 newest.
-- The upper bound, as the server writes it, is compared in the type of the key ($4). Never the DEFAULT partition, and none that
-- has no end. Needs sql/purge/session.sql before: bounds are written and compared in UTC.
-- Role: any. Locks: ACCESS SHARE for a moment on the chosen ones, for their size. Safe to rerun.
with bounded as (
  select
    class.oid as table_oid,
    namespace.nspname::text as schema_name,
    class.relname::text as table_name,
    class.relowner,
    inherits.inhdetachpending as is_pending,
    pg_get_expr(class.relpartbound, class.oid) as bounds,
    (regexp_match(pg_get_expr(class.relpartbound, class.oid), '^FOR VALUES FROM \(.*\) TO \(''([^'']*)''\)$'))[1] as upper_bound
  from pg_inherits as inherits
  join pg_class as class on class.oid = inherits.inhrelid
  join pg_namespace as namespace on namespace.oid = class.relnamespace
  where inherits.inhparent = $1
),
compared as (
  select
    *,
    case $4::text
      when 'date' then upper_bound::date <= $2::timestamptz
      when 'timestamp without time zone' then upper_bound::timestamp <= $2::timestamptz
      else upper_bound::timestamptz <= $2::timestamptz
    end as is_past,
    -- MAXVALUE, the only end that is no literal, is the newest.
    row_number() over (
      order by
        upper_bound is not null,
        case when $4::text = 'date' then upper_bound::date end desc,
        case when $4::text = 'timestamp without time zone' then upper_bound::timestamp end desc,
        case when $4::text = 'timestamp with time zone' then upper_bound::timestamptz end desc
    ) as newest_first
  from bounded
  where bounds <> 'DEFAULT'
)
select
  table_oid,
  schema_name,
  table_name,
  bounds,
  is_pending,
  coalesce(is_past, false) and newest_first > $3 as is_chosen,
  pg_has_role(relowner, 'usage') as is_owner,
  pg_get_userbyid(relowner)::text as owner,
  case
    when coalesce(is_past, false) and newest_first > $3 then (
      select coalesce(sum(pg_total_relation_size(tree.relid)), 0)::float8
      from pg_partition_tree(table_oid) as tree
    )
  end as byte_count
from compared
order by newest_first desc;
