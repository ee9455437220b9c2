-- The columns of a table as an archive needs them, and the columns of tables that inherit from it, which the RETURNING of a
-- DELETE from the parent does not show. $1 = schema, $2 = table. Any role. Locks: none. Safe to rerun.
with recursive family (relation) as (
  select relation.oid
  from pg_class as relation
  join pg_namespace as namespace on namespace.oid = relation.relnamespace
  where namespace.nspname = $1
    and relation.relname = $2
), descendants (relation) as (
  select relation from family
  union
  select inheritance.inhrelid
  from descendants
  join pg_inherits as inheritance on inheritance.inhparent = descendants.relation
), columns as (
  select
    attribute.attrelid as relation,
    attribute.attnum as position,
    attribute.attname::text as name,
    attribute.attgenerated <> '' as is_generated
  from descendants
  join pg_attribute as attribute on attribute.attrelid = descendants.relation
  where attribute.attnum > 0
    and not attribute.attisdropped
), own as (
  select columns.*
  from columns
  join family on family.relation = columns.relation
)
select
  (select coalesce(array_agg(name order by position), '{}') from own where not is_generated) as stored,
  (select coalesce(array_agg(name order by position), '{}') from own where is_generated) as generated,
  (
    select coalesce(array_agg(format('%s.%I', columns.relation::regclass, columns.name) order by columns.relation, columns.position), '{}')
    from columns
    where columns.name not in (select name from own)
  ) as only_below;
