-- All pages of the large objects $1, which are small enough to be held in memory together.
-- Needs pg_read_all_data; no locks but ACCESS SHARE on the catalog; read only.
select
  loid::text as oid,
  pageno,
  data
from pg_catalog.pg_largeobject
where loid = any ($1::oid[])
order by loid, pageno;
