-- Functions, procedures and aggregates. The text comes from the row, as pg_dump reads it, so it is the snapshot's. Without
-- those that a range type makes for itself. Any role; no locks; read only.
select
  case p.prokind
    when 'a' then 'aggregate'
    when 'p' then 'procedure'
    else 'function'
  end as kind,
  s.name as schema,
  null::text as relation,
  s.quoted || '."' || replace(p.proname, '"', '""') || '"('
    || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' as identity,
  concat_ws(
    E'\n',
    'arguments ' || pg_catalog.pg_get_function_arguments(p.oid),
    'result ' || pg_catalog.pg_get_function_result(p.oid),
    'language ' || l.lanname,
    'kind ' || p.prokind::text || p.provolatile::text || p.proparallel::text || p.proisstrict || p.prosecdef || p.proleakproof,
    'cost ' || p.procost || ' rows ' || p.prorows,
    'support ' || nullif(p.prosupport, 0)::regproc,
    'set ' || array_to_string(p.proconfig, ', '),
    'transforms ' || (
      select string_agg(pg_catalog.format_type(one, null), ', ' order by place)
      from unnest(p.protrftypes) with ordinality as trf (one, place)
    ),
    'library ' || p.probin,
    pg_catalog.pg_get_function_sqlbody(p.oid),
    -- As a hash, because blanks and parentheses count in it.
    encode(sha256(convert_to(p.prosrc, pg_catalog.getdatabaseencoding())), 'hex'),
    (
      select concat_ws(
        ' ',
        g.aggkind,
        g.aggnumdirectargs,
        g.aggtransfn::regproc,
        g.aggfinalfn::regproc,
        g.aggcombinefn::regproc,
        g.aggserialfn::regproc,
        g.aggdeserialfn::regproc,
        g.aggmtransfn::regproc,
        g.aggminvtransfn::regproc,
        g.aggmfinalfn::regproc,
        g.aggfinalextra,
        g.aggmfinalextra,
        g.aggfinalmodify,
        g.aggmfinalmodify,
        g.aggsortop::regoperator,
        pg_catalog.format_type(g.aggtranstype, null),
        g.aggtransspace,
        pg_catalog.format_type(nullif(g.aggmtranstype, 0), null),
        g.aggmtransspace,
        g.agginitval,
        g.aggminitval
      )
      from pg_catalog.pg_aggregate g
      where g.aggfnoid = p.oid
    )
  ) as definition,
  p.proowner as owner,
  p.proacl as acl,
  'f'::"char" as acl_type
from pg_catalog.pg_proc p
join space s on s.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where not exists (
    select
    from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_proc'::regclass
      and d.objid = p.oid
      and d.deptype in ('e', 'i')
  )
