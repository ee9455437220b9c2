-- Which of the tables $1 were truncated or rewritten after the snapshot of this transaction: through the snapshot they
-- read as empty, without an error. relfilenode comes from the snapshot, pg_relation_filenode() from now.
-- Any role; no locks of its own: pg_dump must hold its locks already; read only.
select
  n.nspname as schema,
  c.relname as name
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = any ($1::oid[])
  and c.relfilenode is distinct from pg_catalog.pg_relation_filenode(c.oid)
order by 1, 2;
