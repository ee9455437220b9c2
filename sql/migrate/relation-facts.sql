-- Relations of the users with their file and what this transaction has read and changed in them. In a transaction, before and
-- after a statement. Any role; no locks but on the catalog.
select
  c.oid::int8 as oid,
  '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '"' as name,
  c.relkind::text as kind,
  c.relfilenode::int8 as file,
  (select i.indrelid::int8 from pg_catalog.pg_index i where i.indexrelid = c.oid) as indexed,
  pg_catalog.pg_stat_get_xact_tuples_returned(c.oid) as read,
  pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) as inserted,
  pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) as changed
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm', 'v', 'i', 'I', 'S', 'f')
  and n.nspname <> 'information_schema'
  and n.nspname not like 'pg\_%'
