-- Tables that rows can be put into, partitions left to their parent: columns with their types, foreign keys, the CHECKs of
-- each column, triggers. Any role; no locks; read only.
select
  c.oid::int8 as oid,
  n.nspname::text as schema,
  c.relname::text as name,
  c.relforcerowsecurity as is_forced,
  (
    select jsonb_agg(
      jsonb_build_object(
        'name', a.attname,
        'number', a.attnum,
        'type', b.typname,
        'category', b.typcategory,
        'kind', b.typtype,
        'modifier', case when t.typtype = 'd' then t.typtypmod else a.atttypmod end,
        'element', e.typname,
        'labels', (
          select jsonb_agg(l.enumlabel order by l.enumsortorder)
          from pg_catalog.pg_enum l
          where l.enumtypid = b.oid
        ),
        'attributes', (select count(*) from pg_catalog.pg_attribute m where m.attrelid = b.typrelid and m.attnum > 0 and not m.attisdropped),
        'required', a.attnotnull or t.typnotnull,
        'has_default', a.atthasdef or t.typdefault is not null or a.attidentity <> '',
        'given', a.attidentity <> 'a' and a.attgenerated = '',
        'checks', (
          select jsonb_agg(pg_catalog.pg_get_constraintdef(k.oid))
          from pg_catalog.pg_constraint k
          where k.contype = 'c'
            and ((k.conrelid = c.oid and a.attnum = any (k.conkey)) or k.contypid = t.oid)
        )
      )
      order by a.attnum
    )
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_type t on t.oid = a.atttypid
    -- A domain over a domain is looked at one level deep; its values are tried like any other.
    join pg_catalog.pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
    left join pg_catalog.pg_type e on e.oid = b.typelem and b.typcategory = 'A'
    where a.attrelid = c.oid
      and a.attnum > 0
      and not a.attisdropped
  ) as columns,
  (
    select jsonb_agg(
      jsonb_build_object(
        'parent', k.confrelid::int8,
        'schema', pn.nspname,
        'table', p.relname,
        'columns', (
          select jsonb_agg(a.attname order by u.place)
          from unnest(k.conkey) with ordinality as u (number, place)
          join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number
        ),
        'keys', (
          select jsonb_agg(a.attname order by u.place)
          from unnest(k.confkey) with ordinality as u (number, place)
          join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number
        )
      )
      order by k.conname
    )
    from pg_catalog.pg_constraint k
    join pg_catalog.pg_class p on p.oid = k.confrelid
    join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
    where k.conrelid = c.oid
      and k.contype = 'f'
      and k.conparentid = 0
  ) as foreign_keys,
  (
    select jsonb_agg(jsonb_build_object('name', g.tgname, 'enabled', g.tgenabled) order by g.tgname)
    from pg_catalog.pg_trigger g
    where g.tgrelid = c.oid
      and not g.tgisinternal
      and g.tgenabled <> 'D'
  ) as triggers
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and not c.relispartition
  and c.relpersistence <> 't'
  and n.nspname not in ('information_schema', 'nightshift')
  and n.nspname not like 'pg\_%'
  and not exists (
    select
    from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_class'::regclass
      and d.objid = c.oid
      and d.deptype = 'e'
  )
order by 2, 3
