-- At most $3 pages of the large object $1 from page $2 on; a page holds up to 2048 bytes, pages that are holes are absent.
-- Needs pg_read_all_data; no locks but ACCESS SHARE on the catalog; read only.
select
  pageno,
  data
from pg_catalog.pg_largeobject
where loid = $1::oid
  and pageno >= $2::integer
order by pageno
limit $3::bigint;
