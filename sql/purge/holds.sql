-- The legal holds in force on a table, and on tables whose rows a delete from it would change as well: children by
-- ON DELETE CASCADE or SET NULL / SET DEFAULT (and theirs), partitions and parents. $1 = oid of the table.
-- Role: nightshift_purge (SELECT on nightshift.legal_hold). Locks: none. Safe to rerun.
with recursive reached (table_oid) as (
  select $1::oid
  union
  select link.to_oid
  from reached
  cross join lateral (
    select conrelid as to_oid
    from pg_constraint
    where confrelid = reached.table_oid
      and contype = 'f'
      and confdeltype in ('c', 'n', 'd')
    union all
    select inhrelid
    from pg_inherits
    where inhparent = reached.table_oid
    union all
    select inhparent
    from pg_inherits
    where inhrelid = reached.table_oid
  ) as link
)
select
  hold.key_value,
  class.oid = $1::oid as is_own_table,
  format('%I.%I', namespace.nspname, class.relname) as table_name,
  hold.hold_id::text as hold_id
from reached
join pg_class as class on class.oid = reached.table_oid
join pg_namespace as namespace on namespace.oid = class.relnamespace
join nightshift.legal_hold as hold
  on hold.schema_name = namespace.nspname
  and hold.table_name = class.relname
where hold.released_at is null
order by hold.hold_id;
