-- The next $2 large objects after OID $1 in order of OID, with their sizes, and the SHA-256 of those of up to $3 bytes.
-- Whoever owns them; each is opened for reading (262144) until the query ends; no locks; read only.
select
  found.oid::text as oid,
  found.bytes::text as bytes,
  case when found.bytes <= $3::bigint then encode(sha256(lo_get(found.oid)), 'hex') end as sha256
from (
  select
    m.oid,
    lo_lseek64(lo_open(m.oid, 262144), 0, 2) as bytes
  from pg_catalog.pg_largeobject_metadata m
  where m.oid > $1::oid
  order by m.oid
  limit $2::int
) found
order by found.oid;
