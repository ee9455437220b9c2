-- The size of each large object among $1 up to its last page, holes counted; empty ones have no row. Needs
-- pg_read_all_data (pg_largeobject itself is not public); no locks but ACCESS SHARE on the catalog; read only.
select
  loid::text as oid,
  ((max(pageno) + 1) * 2048::bigint)::text as bytes
from pg_catalog.pg_largeobject
where loid = any ($1::oid[])
group by loid;
