-- Assertion of the restore drill: every index that was restored can be used. Returns the indexes that cannot.
--
-- Each file of this folder is one query that must return no row of the restored database; see README.md.
select
  i.indexrelid::regclass as index
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
where c.relkind = 'i'
  and not (i.indisvalid and i.indisready)
