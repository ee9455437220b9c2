-- What lies in no schema: extensions, foreign data wrappers and servers, user mappings, event triggers, default privileges;
-- and comments. Options of user mappings may be passwords and are not looked at. Any role; no locks; read only.
select
  'extension' as kind,
  null::text as schema,
  null::text as relation,
  '"' || replace(e.extname, '"', '""') || '"' as identity,
  -- Its version is in the manifest.
  'schema ' || e.extnamespace::regnamespace as definition,
  null::oid as owner,
  null::aclitem[] as acl,
  null::"char" as acl_type
from pg_catalog.pg_extension e
union all
select
  'foreign data wrapper',
  null,
  null,
  '"' || replace(w.fdwname, '"', '""') || '"',
  concat_ws(
    ' ',
    w.fdwhandler::regproc,
    w.fdwvalidator::regproc,
    (select string_agg(one, ', ' order by one) from unnest(w.fdwoptions) one)
  ),
  w.fdwowner,
  w.fdwacl,
  'F'
from pg_catalog.pg_foreign_data_wrapper w
where not exists (
  select
  from member
  where member.classid = 'pg_catalog.pg_foreign_data_wrapper'::regclass
    and member.objid = w.oid
)
union all
select
  'server',
  null,
  null,
  '"' || replace(s.srvname, '"', '""') || '"',
  concat_ws(
    ' ',
    (select w.fdwname from pg_catalog.pg_foreign_data_wrapper w where w.oid = s.srvfdw),
    'type ' || s.srvtype,
    'version ' || s.srvversion,
    (select string_agg(one, ', ' order by one) from unnest(s.srvoptions) one)
  ),
  s.srvowner,
  s.srvacl,
  'S'
from pg_catalog.pg_foreign_server s
where not exists (
  select
  from member
  where member.classid = 'pg_catalog.pg_foreign_server'::regclass
    and member.objid = s.oid
)
union all
select
  'user mapping',
  null,
  null,
  '"' || replace(m.usename, '"', '""') || '" on "' || replace(m.srvname, '"', '""') || '"',
  null,
  null,
  null,
  null
from pg_catalog.pg_user_mappings m
union all
select
  'event trigger',
  null,
  null,
  '"' || replace(t.evtname, '"', '""') || '"',
  concat_ws(' ', t.evtevent, t.evtfoid::regproc, t.evtenabled, array_to_string(t.evttags, ', ')),
  t.evtowner,
  null,
  null
from pg_catalog.pg_event_trigger t
where not exists (
  select
  from member
  where member.classid = 'pg_catalog.pg_event_trigger'::regclass
    and member.objid = t.oid
)
union all
select
  'default privileges',
  n.nspname::text,
  null,
  concat_ws(' ', 'of ' || d.defaclrole::regrole, 'in ' || nullif(d.defaclnamespace, 0)::regnamespace, 'on ' || d.defaclobjtype::text),
  (
    select string_agg(one::text, ' ' order by one::text)
    from unnest(d.defaclacl) one
  ),
  null,
  null,
  null
from pg_catalog.pg_default_acl d
left join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace
union all
select
  'comment',
  i.schema,
  null,
  i.type || ' ' || i.identity,
  encode(sha256(convert_to(c.description, pg_catalog.getdatabaseencoding())), 'hex'),
  null,
  null,
  null
from pg_catalog.pg_description c
cross join lateral pg_catalog.pg_identify_object(c.classoid, c.objoid, c.objsubid) i
where c.objoid >= 16384
  -- That of an extension is its version's.
  and c.classoid <> 'pg_catalog.pg_extension'::regclass
  and coalesce(i.schema, '') not like 'pg\_%'
  and not exists (
    select
    from member
    where member.classid = c.classoid
      and member.objid = c.objoid
  )
  and not exists (
    select
    from pg_catalog.pg_index x
    where c.classoid = 'pg_catalog.pg_class'::regclass
      and x.indexrelid = c.objoid
      and not (x.indisvalid and x.indisready)
  )
