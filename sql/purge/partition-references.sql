-- What would not let the partition $1 (oid) go: foreign keys to it or to a table above it, views, functions and policies that
-- read it, foreign tables inside of it (a DROP leaves their rows where they are).
-- Role: any. Locks: none. Safe to rerun.
with tree as materialized (
  select relid
  from pg_partition_tree($1)
),
above as materialized (
  select relid
  from pg_partition_ancestors($1)
  where relid <> $1
)
select
  'rows' as kind,
  format('foreign key "%s" of %s', conname, conrelid::regclass) as what,
  namespace.nspname::text as schema_name,
  class.relname::text as table_name,
  pairs.referencing,
  pairs.referenced
from pg_constraint
join pg_class as class on class.oid = conrelid
join pg_namespace as namespace on namespace.oid = class.relnamespace
cross join lateral (
  select
    array_agg(child.attname::text order by pair.position) as referencing,
    array_agg(parent.attname::text order by pair.position) as referenced
  from unnest(conkey, confkey) with ordinality as pair (child_number, parent_number, position)
  join pg_attribute as child
    on child.attrelid = conrelid
    and child.attnum = pair.child_number
  join pg_attribute as parent
    on parent.attrelid = confrelid
    and parent.attnum = pair.parent_number
) as pairs
where contype = 'f'
  and conparentid = 0
  and confrelid in (select relid from above)
union all
select
  'always',
  format('foreign key "%s" of %s', conname, conrelid::regclass),
  null,
  null,
  null,
  null
from pg_constraint
where contype = 'f'
  and conparentid = 0
  and confrelid in (select relid from tree)
  and conrelid not in (select relid from tree)
union all
select distinct
  'always',
  -- A view depends by its rule.
  case
    when rewrite.oid is not null then format('view %s', rewrite.ev_class::regclass)
    else pg_describe_object(depend.classid, depend.objid, 0)
  end,
  null::text,
  null::text,
  null::text[],
  null::text[]
from pg_depend as depend
left join pg_rewrite as rewrite
  on depend.classid = 'pg_rewrite'::regclass
  and rewrite.oid = depend.objid
left join pg_policy as policy
  on depend.classid = 'pg_policy'::regclass
  and policy.oid = depend.objid
where depend.refclassid = 'pg_class'::regclass
  and depend.refobjid in (select relid from tree)
  and depend.deptype = 'n'
  and (
    depend.classid = 'pg_proc'::regclass
    or (rewrite.oid is not null and rewrite.ev_class not in (select relid from tree))
    or (policy.oid is not null and policy.polrelid not in (select relid from tree))
  )
union all
select
  'always',
  format('the foreign table %s inside, whose rows are on another server', class.oid::regclass),
  null,
  null,
  null,
  null
from pg_class as class
where class.oid in (select relid from tree)
  and class.relkind = 'f'
order by 2;
