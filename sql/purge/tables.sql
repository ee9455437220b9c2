-- The tables that $1 (oids) names, with what is inherited: ancestors and descendants of each, by partition or INHERITS.
-- Role: any. Locks: none. Safe to rerun.
with recursive wanted as (
  select distinct oid from unnest($1::oid[]) as named (oid)
),
below (root, oid) as (
  select oid, oid from wanted
  union
  select below.root, link.inhrelid
  from below
  join pg_inherits as link on link.inhparent = below.oid
),
above (root, oid) as (
  select oid, oid from wanted
  union
  select above.root, link.inhparent
  from above
  join pg_inherits as link on link.inhrelid = above.oid
)
select
  class.oid::int8::text as table_oid,
  namespace.nspname::text as schema_name,
  class.relname::text as table_name,
  class.relkind::text as kind,
  (select json_agg(below.oid::int8::text) from below where below.root = class.oid and below.oid <> class.oid) as descendants,
  (select json_agg(above.oid::int8::text) from above where above.root = class.oid and above.oid <> class.oid) as ancestors,
  (select coalesce(sum(pg_relation_size(below.oid)), 0) from below where below.root = class.oid)::float8 as bytes,
  (
    select coalesce(sum(greatest(part.reltuples, 0)), 0)
    from below
    join pg_class as part on part.oid = below.oid
    where below.root = class.oid
  )::float8 as estimated_rows,
  (
    select coalesce(json_agg(json_build_object(
      'name', attribute.attname,
      'type', format_type(attribute.atttypid, attribute.atttypmod),
      'generated', attribute.attgenerated <> ''
    ) order by attribute.attnum), '[]')
    from pg_attribute as attribute
    where attribute.attrelid = class.oid
      and attribute.attnum > 0
      and not attribute.attisdropped
  ) as columns,
  -- The primary key, or the narrowest unique index that names each row.
  (
    select json_agg(attribute.attname order by part.position)
    from (
      select index.indexrelid, index.indkey, index.indnkeyatts
      from pg_index as index
      where index.indrelid = class.oid
        and index.indisunique
        and index.indimmediate
        and index.indisvalid
        and index.indpred is null
        and index.indexprs is null
        and not exists (
          select
          from pg_attribute as part
          where part.attrelid = class.oid
            and part.attnum = any ((index.indkey::int2[])[0:index.indnkeyatts - 1])
            and not part.attnotnull
        )
      order by index.indisprimary desc, index.indnkeyatts, index.indexrelid
      limit 1
    ) as chosen
    cross join unnest((chosen.indkey::int2[])[0:chosen.indnkeyatts - 1]) with ordinality as part (number, position)
    join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum = part.number
  ) as key_columns,
  coalesce(
    (
      select json_agg(attribute.attname order by part.position)
      from pg_index as index
      cross join unnest((index.indkey::int2[])[0:index.indnkeyatts - 1]) with ordinality as part (number, position)
      join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum = part.number
      where index.indrelid = class.oid
        and index.indisprimary
    ),
    '[]'
  ) as primary_key,
  coalesce(
    (
      select json_agg(distinct attribute.attname)
      from pg_index as index
      join pg_class as index_class on index_class.oid = index.indexrelid
      join pg_am as method on method.oid = index_class.relam
      join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum = index.indkey[0]
      where index.indrelid = class.oid
        and index.indisvalid
        and index.indpred is null
        and method.amname = 'btree'
    ),
    '[]'
  ) as leading_columns,
  row_security_active(class.oid) as row_security_cuts,
  -- Where BYPASSRLS cannot be had: policies that show this role every row, and none that takes one away again.
  not exists (
    select
    from pg_policy as policy
    where policy.polrelid = class.oid
      and not policy.polpermissive
      and exists (select from unnest(policy.polroles) as role (oid) where role.oid = 0 or pg_has_role(role.oid, 'usage'))
  )
  and (
    select bool_and(exists (
      select
      from pg_policy as policy
      where policy.polrelid = class.oid
        and policy.polpermissive
        and policy.polcmd in ('*', command.letter)
        and pg_get_expr(policy.polqual, policy.polrelid) = 'true'
        and exists (select from unnest(policy.polroles) as role (oid) where role.oid = 0 or pg_has_role(role.oid, 'usage'))
    ))
    from unnest('{r,w,d}'::"char"[]) as command (letter)
  ) as row_security_shows_all,
  has_schema_privilege(namespace.oid, 'usage') and has_table_privilege(class.oid, 'select') as may_select,
  has_table_privilege(class.oid, 'delete') as may_delete,
  -- SELECT … FOR UPDATE asks for UPDATE on at least one column; DELETE is not enough.
  has_any_column_privilege(class.oid, 'update') as may_lock,
  coalesce(
    (
      select json_agg(attribute.attname)
      from pg_attribute as attribute
      where attribute.attrelid = class.oid
        and attribute.attnum > 0
        and not attribute.attisdropped
        and has_column_privilege(class.oid, attribute.attnum, 'update')
    ),
    '[]'
  ) as updatable,
  pg_get_userbyid(class.relowner)::text as owner,
  pg_has_role(class.relowner, 'usage') as is_owner,
  current_user::text as role_name
from wanted
join pg_class as class on class.oid = wanted.oid
join pg_namespace as namespace on namespace.oid = class.relnamespace;
