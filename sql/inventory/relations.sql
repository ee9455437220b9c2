-- Schemas, tables, partitions, foreign tables, views and materialized views. Takes ACCESS SHARE on what a view reads.
select
  'schema' as kind,
  s.name as schema,
  null::text as relation,
  s.quoted as identity,
  null::text as definition,
  s.nspowner as owner,
  s.nspacl as acl,
  'n'::"char" as acl_type
from space s
where not exists (
  select
  from member
  where member.classid = 'pg_catalog.pg_namespace'::regclass
    and member.objid = s.oid
)
union all
select
  case r.relkind
    when 'v' then 'view'
    when 'm' then 'materialized view'
    when 'f' then 'foreign table'
    else 'table'
  end,
  r.schema,
  r.name,
  r.qualified,
  concat_ws(
    ' ',
    'persistence ' || r.relpersistence::text,
    'method ' || (select a.amname from pg_catalog.pg_am a where a.oid = r.relam),
    'of ' || pg_catalog.format_type(nullif(r.reloftype, 0), null),
    'options ' || (select string_agg(one, ', ' order by one) from unnest(r.reloptions) one),
    'toast options ' || (
      select string_agg(one, ', ' order by one)
      from pg_catalog.pg_class toast, unnest(toast.reloptions) one
      where toast.oid = r.reltoastrelid
    ),
    'partition by ' || case when r.relkind = 'p' then pg_catalog.pg_get_partkeydef(r.oid) end,
    'parents ' || (
      select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno)
      from pg_catalog.pg_inherits i
      where i.inhrelid = r.oid
    ),
    pg_catalog.pg_get_expr(r.relpartbound, r.oid),
    'replica identity ' || r.relreplident::text,
    'row security ' || r.relrowsecurity || ' ' || r.relforcerowsecurity,
    (
      select 'server ' || fs.srvname || ' ' || coalesce(array_to_string(ft.ftoptions, ', '), '')
      from pg_catalog.pg_foreign_table ft
      join pg_catalog.pg_foreign_server fs on fs.oid = ft.ftserver
      where ft.ftrelid = r.oid
    ),
    case when r.relkind in ('v', 'm') then pg_catalog.pg_get_viewdef(r.oid) end
  ),
  r.relowner,
  r.relacl,
  'r'::"char"
from relation r
where r.relkind <> 'S'
union all
select
  'contents of materialized view',
  r.schema,
  r.name,
  r.qualified,
  case when r.relispopulated then 'populated' else 'not populated' end,
  null,
  null,
  null
from relation r
where r.relkind = 'm'
