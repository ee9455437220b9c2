-- Which of the tables (oids $1, quoted names $2) are not what the snapshot of this transaction saw: truncated or
-- rewritten (through the snapshot they read as empty, without an error), or another table has their name by now.
-- relfilenode comes from the snapshot; pg_relation_filenode() and to_regclass() look at now.
-- Any role; no locks of its own: the session must hold its locks already; read only.
select
  n.nspname as schema,
  c.relname as name
from unnest($1::oid[], $2::text[]) as planned (oid, name)
join pg_catalog.pg_class c on c.oid = planned.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relfilenode is distinct from pg_catalog.pg_relation_filenode(c.oid)
  or pg_catalog.to_regclass(planned.name)::oid is distinct from planned.oid
order by 1, 2;
