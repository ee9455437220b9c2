-- Columns of tables, foreign tables, views and materialized views. The order of the columns counts but where a restore may
-- change it: in a table that inherits, columns of the parent come first. Any role; no locks; read only.
select
  'column' as kind,
  r.schema,
  r.name as relation,
  r.qualified || '."' || replace(a.attname, '"', '""') || '"' as identity,
  concat_ws(
    ' ',
    case
      when r.relispartition or not exists (
        select
        from pg_catalog.pg_inherits i
        where i.inhrelid = r.oid
      ) then 'after ' || lag(a.attname) over (partition by a.attrelid order by a.attnum)
    end,
    'type ' || pg_catalog.format_type(a.atttypid, a.atttypmod),
    'collate ' || case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end,
    case when a.attnotnull then 'not null' end,
    'identity ' || nullif(a.attidentity, '')::text,
    'generated ' || nullif(a.attgenerated, '')::text,
    'default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
    'storage ' || case when a.attstorage <> t.typstorage then a.attstorage::text end,
    'compression ' || nullif(a.attcompression, '')::text,
    'statistics ' || nullif(a.attstattarget, -1),
    'options ' || (select string_agg(one, ', ' order by one) from unnest(a.attoptions) one),
    'foreign options ' || array_to_string(a.attfdwoptions, ', ')
  ) as definition,
  case when cardinality(a.attacl) > 0 then r.relowner end as owner,
  a.attacl as acl,
  case when cardinality(a.attacl) > 0 then 'c'::"char" end as acl_type
from relation r
join pg_catalog.pg_attribute a on a.attrelid = r.oid
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0
  and not a.attisdropped
  and r.relkind <> 'S'
