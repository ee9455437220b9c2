-- Texts that the inventory holds only as a hash or in hexadecimal, for a person who must see what differs: bodies of
-- routines, comments, labels of enums. Identities as in the inventory. Any role; no locks; read only.
select
  case p.prokind
    when 'a' then 'aggregate'
    when 'p' then 'procedure'
    else 'function'
  end as kind,
  '"' || replace(n.nspname, '"', '""') || '"."' || replace(p.proname, '"', '""') || '"('
    || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' as identity,
  encode(sha256(convert_to(p.prosrc, pg_catalog.getdatabaseencoding())), 'hex') as hidden,
  p.prosrc as shown
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname <> 'information_schema'
  and n.nspname not like 'pg\_%'
union all
select
  'comment',
  i.type || ' ' || i.identity,
  encode(sha256(convert_to(c.description, pg_catalog.getdatabaseencoding())), 'hex'),
  c.description
from pg_catalog.pg_description c
cross join lateral pg_catalog.pg_identify_object(c.classoid, c.objoid, c.objsubid) i
where c.objoid >= 16384
  and coalesce(i.schema, '') not like 'pg\_%'
union all
select
  'enum',
  '"' || replace(n.nspname, '"', '""') || '"."' || replace(t.typname, '"', '""') || '"',
  string_agg(encode(convert_to(e.enumlabel, pg_catalog.getdatabaseencoding()), 'hex'), ', ' order by e.enumsortorder),
  string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
from pg_catalog.pg_enum e
join pg_catalog.pg_type t on t.oid = e.enumtypid
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
group by n.nspname, t.typname
