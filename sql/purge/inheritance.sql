-- Who is a partition or an heir of whom. Role: any. Locks: none. Safe to rerun.
select
  link.inhrelid::int8::text as child_oid,
  link.inhparent::int8::text as parent_oid,
  parent.relkind = 'p' as is_partition
from pg_inherits as link
join pg_class as parent on parent.oid = link.inhparent
where parent.relkind in ('r', 'p');
