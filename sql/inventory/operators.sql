-- Operators, their classes and families, casts, conversions, transforms, text search, access methods and languages.
-- Any role; no locks; read only.
select
  'operator' as kind,
  s.name as schema,
  null::text as relation,
  (pg_catalog.pg_identify_object('pg_catalog.pg_operator'::regclass, o.oid, 0)).identity as identity,
  concat_ws(
    ' ',
    o.oprcode,
    'result ' || pg_catalog.format_type(o.oprresult, null),
    'commutator ' || nullif(o.oprcom, 0)::regoperator,
    'negator ' || nullif(o.oprnegate, 0)::regoperator,
    o.oprrest,
    o.oprjoin,
    o.oprcanhash,
    o.oprcanmerge
  ) as definition,
  o.oprowner as owner,
  null::aclitem[] as acl,
  null::"char" as acl_type
from pg_catalog.pg_operator o
join space s on s.oid = o.oprnamespace
where o.oprcode <> 0
  and not exists (
    select
    from member
    where member.classid = 'pg_catalog.pg_operator'::regclass
      and member.objid = o.oid
  )
union all
select
  'operator class',
  s.name,
  null,
  (pg_catalog.pg_identify_object('pg_catalog.pg_opclass'::regclass, o.oid, 0)).identity,
  concat_ws(
    ' ',
    (pg_catalog.pg_identify_object('pg_catalog.pg_opfamily'::regclass, o.opcfamily, 0)).identity,
    pg_catalog.format_type(o.opcintype, null),
    pg_catalog.format_type(nullif(o.opckeytype, 0), null),
    o.opcdefault
  ),
  o.opcowner,
  null,
  null
from pg_catalog.pg_opclass o
join space s on s.oid = o.opcnamespace
where not exists (
  select
  from member
  where member.classid = 'pg_catalog.pg_opclass'::regclass
    and member.objid = o.oid
)
union all
select
  'operator family',
  s.name,
  null,
  (pg_catalog.pg_identify_object('pg_catalog.pg_opfamily'::regclass, f.oid, 0)).identity,
  concat_ws(
    ' ',
    (
      select string_agg(concat_ws(' ', a.amopstrategy, a.amopopr::regoperator, a.amoppurpose), ', ' order by a.amopstrategy, a.amopopr::regoperator::text)
      from pg_catalog.pg_amop a
      where a.amopfamily = f.oid
    ),
    (
      select string_agg(concat_ws(' ', a.amprocnum, a.amproc::regprocedure), ', ' order by a.amprocnum, a.amproc::regprocedure::text)
      from pg_catalog.pg_amproc a
      where a.amprocfamily = f.oid
    )
  ),
  f.opfowner,
  null,
  null
from pg_catalog.pg_opfamily f
join space s on s.oid = f.opfnamespace
where not exists (
  select
  from member
  where member.classid = 'pg_catalog.pg_opfamily'::regclass
    and member.objid = f.oid
)
union all
select
  'conversion',
  s.name,
  null,
  (pg_catalog.pg_identify_object('pg_catalog.pg_conversion'::regclass, c.oid, 0)).identity,
  concat_ws(' ', c.conforencoding, c.contoencoding, c.conproc, c.condefault),
  c.conowner,
  null,
  null
from pg_catalog.pg_conversion c
join space s on s.oid = c.connamespace
where not exists (
  select
  from member
  where member.classid = 'pg_catalog.pg_conversion'::regclass
    and member.objid = c.oid
)
union all
select
  'text search configuration',
  s.name,
  null,
  (pg_catalog.pg_identify_object('pg_catalog.pg_ts_config'::regclass, c.oid, 0)).identity,
  concat_ws(
    ' ',
    (select p.prsname from pg_catalog.pg_ts_parser p where p.oid = c.cfgparser),
    (
      select string_agg(concat_ws(' ', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), ', ' order by m.maptokentype, m.mapseqno)
      from pg_catalog.pg_ts_config_map m
      where m.mapcfg = c.oid
    )
  ),
  c.cfgowner,
  null,
  null
from pg_catalog.pg_ts_config c
join space s on s.oid = c.cfgnamespace
where not exists (
  select
  from member
  where member.classid = 'pg_catalog.pg_ts_config'::regclass
    and member.objid = c.oid
)
union all
select
  'text search dictionary',
  s.name,
  null,
  (pg_catalog.pg_identify_object('pg_catalog.pg_ts_dict'::regclass, d.oid, 0)).identity,
  concat_ws(' ', (select t.tmplname from pg_catalog.pg_ts_template t where t.oid = d.dicttemplate), d.dictinitoption),
  d.dictowner,
  null,
  null
from pg_catalog.pg_ts_dict d
join space s on s.oid = d.dictnamespace
where not exists (
  select
  from member
  where member.classid = 'pg_catalog.pg_ts_dict'::regclass
    and member.objid = d.oid
)
union all
select
  i.type,
  i.schema,
  null,
  i.identity,
  null,
  null,
  null,
  null
from (
  select 'pg_catalog.pg_ts_parser'::regclass as classid, p.oid from pg_catalog.pg_ts_parser p
  union all
  select 'pg_catalog.pg_ts_template'::regclass, t.oid from pg_catalog.pg_ts_template t
  union all
  select 'pg_catalog.pg_transform'::regclass, t.oid from pg_catalog.pg_transform t
  union all
  select 'pg_catalog.pg_am'::regclass, a.oid from pg_catalog.pg_am a
) one
cross join lateral pg_catalog.pg_identify_object(one.classid, one.oid, 0) i
where one.oid >= 16384
  and not exists (
    select
    from member
    where member.classid = one.classid
      and member.objid = one.oid
  )
union all
select
  'cast',
  null,
  null,
  (pg_catalog.pg_identify_object('pg_catalog.pg_cast'::regclass, c.oid, 0)).identity,
  concat_ws(' ', nullif(c.castfunc, 0)::regprocedure, c.castcontext, c.castmethod),
  null,
  null,
  null
from pg_catalog.pg_cast c
where c.oid >= 16384
  and not exists (
    select
    from member
    where member.classid = 'pg_catalog.pg_cast'::regclass
      and member.objid = c.oid
  )
union all
select
  'language',
  null,
  null,
  '"' || replace(l.lanname, '"', '""') || '"',
  concat_ws(' ', l.lanpltrusted, l.lanplcallfoid::regproc, l.laninline::regproc, l.lanvalidator::regproc),
  l.lanowner,
  l.lanacl,
  'l'
from pg_catalog.pg_language l
where l.oid >= 16384
  and not exists (
    select
    from member
    where member.classid = 'pg_catalog.pg_language'::regclass
      and member.objid = l.oid
  )
