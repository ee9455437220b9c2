-- Indexes, constraints, triggers, rules, policies and extended statistics. As pg_dump does, without invalid indexes of
-- ordinary tables, and without what a foreign key makes by itself on partitions. Any role; no locks; read only.
select
  'index' as kind,
  r.schema,
  r.name as relation,
  r.qualified || ' "' || replace(c.relname, '"', '""') || '"' as identity,
  concat_ws(
    ' ',
    pg_catalog.pg_get_indexdef(i.indexrelid),
    case when i.indisclustered then 'clustered' end,
    case when i.indisreplident then 'replica identity' end,
    'part of ' || (
      select h.inhparent::regclass::text
      from pg_catalog.pg_inherits h
      where h.inhrelid = i.indexrelid
    ),
    'statistics ' || (
      select string_agg(a.attnum || ':' || a.attstattarget, ', ' order by a.attnum)
      from pg_catalog.pg_attribute a
      where a.attrelid = i.indexrelid
        and a.attstattarget >= 0
    )
  ) as definition,
  null::oid as owner,
  null::aclitem[] as acl,
  null::"char" as acl_type
from relation r
join pg_catalog.pg_index i on i.indrelid = r.oid
join pg_catalog.pg_class c on c.oid = i.indexrelid
where (i.indisvalid or r.relkind = 'p')
  and i.indisready
union all
select
  case con.contype when 'n' then 'not null constraint' else 'constraint' end,
  r.schema,
  r.name,
  r.qualified || ' "' || replace(con.conname, '"', '""') || '"',
  pg_catalog.pg_get_constraintdef(con.oid) || ' validated ' || con.convalidated,
  null,
  null,
  null
from relation r
join pg_catalog.pg_constraint con on con.conrelid = r.oid
where con.contype <> 't'
  and not (con.contype = 'f' and con.conparentid <> 0)
  and not (con.contype = 'n' and not con.conislocal)
union all
select
  'trigger',
  r.schema,
  r.name,
  r.qualified || ' "' || replace(t.tgname, '"', '""') || '"',
  pg_catalog.pg_get_triggerdef(t.oid) || ' enabled ' || t.tgenabled::text,
  null,
  null,
  null
from relation r
join pg_catalog.pg_trigger t on t.tgrelid = r.oid
where not t.tgisinternal
union all
select
  'rule',
  r.schema,
  r.name,
  r.qualified || ' "' || replace(w.rulename, '"', '""') || '"',
  pg_catalog.pg_get_ruledef(w.oid) || ' enabled ' || w.ev_enabled::text,
  null,
  null,
  null
from relation r
join pg_catalog.pg_rewrite w on w.ev_class = r.oid
where w.rulename <> '_RETURN'
union all
select
  'policy',
  r.schema,
  r.name,
  r.qualified || ' "' || replace(p.polname, '"', '""') || '"',
  concat_ws(
    ' ',
    'for ' || p.polcmd::text,
    case when p.polpermissive then 'permissive' else 'restrictive' end,
    'to ' || (
      select string_agg(case when one = 0 then 'public' else one::regrole::text end, ', ' order by one::regrole::text)
      from unnest(p.polroles) one
    ),
    'using ' || pg_catalog.pg_get_expr(p.polqual, p.polrelid),
    'with check ' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
  ),
  null,
  null,
  null
from relation r
join pg_catalog.pg_policy p on p.polrelid = r.oid
union all
select
  'statistics',
  r.schema,
  r.name,
  s.quoted || '."' || replace(e.stxname, '"', '""') || '"',
  concat_ws(' ', pg_catalog.pg_get_statisticsobjdef(e.oid), 'target ' || nullif(e.stxstattarget, -1)),
  e.stxowner,
  null,
  null
from relation r
join pg_catalog.pg_statistic_ext e on e.stxrelid = r.oid
join space s on s.oid = e.stxnamespace
