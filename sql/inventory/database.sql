-- The database of the inventory: version, encoding, locale, and the settings that the text of a value depends on and that no
-- session of a backup chooses; the collations of the server that columns and domains name. Any role; no locks; read only.
select
  current_setting('server_version_num')::int / 10000 as major,
  current_setting('lc_monetary') as lc_monetary,
  pg_catalog.pg_encoding_to_char(d.encoding) as encoding,
  coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') as locale_provider,
  d.datcollate::text as collate,
  d.datctype::text as ctype,
  coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale,
  to_jsonb(d) ->> 'datcollversion' as collation_version,
  array(
    select distinct c.collname::text
    from pg_catalog.pg_collation c
    where c.collnamespace = 'pg_catalog'::regnamespace
      and c.oid in (
        select a.attcollation
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_class r on r.oid = a.attrelid
        join pg_catalog.pg_namespace n on n.oid = r.relnamespace
        where n.nspname <> 'information_schema'
          and n.nspname not like 'pg\_%'
        union all
        select t.typcollation
        from pg_catalog.pg_type t
        where t.typtype = 'd'
          and t.oid >= 16384
      )
    order by 1
  ) as collations
from pg_catalog.pg_database d
where d.datname = current_database()
