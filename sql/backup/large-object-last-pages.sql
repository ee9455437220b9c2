-- The last page of each large object among $1, holes counted before it; none for an empty one. One look into the index
-- for each, so no content is read. Needs pg_read_all_data (pg_largeobject is not public, lo_get needs a right on each
-- object); no locks but ACCESS SHARE on the catalog; read only.
select
  wanted.oid::text as oid,
  (
    select max(pages.pageno)
    from pg_catalog.pg_largeobject pages
    where pages.loid = wanted.oid
  ) as last_page
from unnest($1::oid[]) as wanted (oid)
order by wanted.oid;
