-- What of the given things the server does not have: extensions ($1), roles ($2), collations of schema pg_catalog ($3), and
-- locales of its C library ($4). Any role; no locks; read only.
select 'extension' as kind, one as name
from unnest($1::text[]) one
where one not in (select name from pg_catalog.pg_available_extensions)
union all
select 'role', one
from unnest($2::text[]) one
where one not in (select rolname from pg_catalog.pg_roles)
union all
select 'collation', one
from unnest($3::text[]) one
where one not in (select collname from pg_catalog.pg_collation where collnamespace = 'pg_catalog'::regnamespace)
union all
select 'locale', one
from unnest($4::text[]) one
where one not in ('C', 'POSIX')
  and one not in (select collcollate from pg_catalog.pg_collation where collcollate is not null)
  and one not in (select datcollate from pg_catalog.pg_database union all select datctype from pg_catalog.pg_database)
order by 1, 2;
