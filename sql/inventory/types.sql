-- Enums, domains with their constraints, ranges, composite and base types, collations. Without array types, multiranges and
-- the row types of tables, which come by themselves. Any role; no locks; read only.
select
  case t.typtype
    when 'e' then 'enum'
    when 'd' then 'domain'
    when 'r' then 'range type'
    when 'c' then 'composite type'
    else 'type'
  end as kind,
  s.name as schema,
  null::text as relation,
  s.quoted || '."' || replace(t.typname, '"', '""') || '"' as identity,
  concat_ws(
    ' ',
    'labels ' || (
      select string_agg(encode(convert_to(e.enumlabel, pg_catalog.getdatabaseencoding()), 'hex'), ', ' order by e.enumsortorder)
      from pg_catalog.pg_enum e
      where e.enumtypid = t.oid
    ),
    case
      when t.typtype = 'd' then concat_ws(
        ' ',
        pg_catalog.format_type(t.typbasetype, t.typtypmod),
        'collate ' || nullif(t.typcollation, 0)::regcollation,
        case when t.typnotnull then 'not null' end,
        'default ' || pg_catalog.pg_get_expr(t.typdefaultbin, 0)
      )
    end,
    (
      select concat_ws(
        ' ',
        pg_catalog.format_type(r.rngsubtype, null),
        'collate ' || nullif(r.rngcollation, 0)::regcollation,
        'multirange ' || pg_catalog.format_type(r.rngmultitypid, null),
        'opclass ' || (select o.opcname from pg_catalog.pg_opclass o where o.oid = r.rngsubopc),
        r.rngcanonical,
        r.rngsubdiff
      )
      from pg_catalog.pg_range r
      where r.rngtypid = t.oid
    ),
    case
      when t.typtype = 'c' then 'as ' || (
        select string_agg(
          concat_ws(
            ' ',
            a.attname,
            pg_catalog.format_type(a.atttypid, a.atttypmod),
            'collate ' || nullif(a.attcollation, 0)::regcollation
          ),
          ', '
          order by a.attnum
        )
        from pg_catalog.pg_attribute a
        where a.attrelid = t.typrelid
          and a.attnum > 0
          and not a.attisdropped
      )
    end,
    case
      when t.typtype = 'b' then concat_ws(
        ' ',
        t.typisdefined,
        t.typinput,
        t.typoutput,
        t.typreceive,
        t.typsend,
        t.typmodin,
        t.typmodout,
        t.typanalyze,
        t.typlen,
        t.typbyval,
        t.typalign,
        t.typstorage,
        t.typcategory,
        t.typispreferred,
        t.typdelim,
        pg_catalog.format_type(nullif(t.typelem, 0), null),
        t.typdefault
      )
    end
  ) as definition,
  t.typowner as owner,
  t.typacl as acl,
  'T'::"char" as acl_type
from pg_catalog.pg_type t
join space s on s.oid = t.typnamespace
left join pg_catalog.pg_class c on c.oid = t.typrelid
where t.typtype in ('e', 'd', 'r', 'b', 'c')
  and (t.typtype <> 'c' or c.relkind = 'c')
  and not exists (
    select
    from pg_catalog.pg_type e
    where e.typarray = t.oid
  )
  and not exists (
    select
    from member
    where (member.classid = 'pg_catalog.pg_type'::regclass and member.objid = t.oid)
      or (member.classid = 'pg_catalog.pg_class'::regclass and member.objid = t.typrelid)
  )
union all
select
  'constraint of domain',
  s.name,
  null,
  s.quoted || '."' || replace(t.typname, '"', '""') || '" "' || replace(con.conname, '"', '""') || '"',
  pg_catalog.pg_get_constraintdef(con.oid) || ' validated ' || con.convalidated,
  null,
  null,
  null
from pg_catalog.pg_constraint con
join pg_catalog.pg_type t on t.oid = con.contypid
join space s on s.oid = t.typnamespace
where not exists (
    select
    from member
    where member.classid = 'pg_catalog.pg_type'::regclass
      and member.objid = t.oid
  )
  -- Since PostgreSQL 17 the NOT NULL of a domain is a constraint too; the domain has it already.
  and con.contype = 'c'
union all
select
  'collation',
  s.name,
  null,
  s.quoted || '."' || replace(c.collname, '"', '""') || '"',
  -- The locale has had three names; its version is the server's affair.
  concat_ws(
    ' ',
    c.collprovider,
    c.collisdeterministic,
    c.collcollate,
    c.collctype,
    to_jsonb(c) ->> 'colliculocale',
    to_jsonb(c) ->> 'colllocale',
    to_jsonb(c) ->> 'collicurules'
  ),
  c.collowner,
  null,
  null
from pg_catalog.pg_collation c
join space s on s.oid = c.collnamespace
where not exists (
    select
    from member
    where member.classid = 'pg_catalog.pg_collation'::regclass
      and member.objid = c.oid
  )
