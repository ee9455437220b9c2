-- Columns that hold the key of a person's row without a foreign key, as classified. Role: nightshift_purge (SELECT on
-- nightshift.data_classification). Locks: none. Safe to rerun.
select
  child.oid::int8::text as child_oid,
  parent.oid::int8::text as parent_oid,
  classification.column_name::text as child_column
from nightshift.data_classification as classification
join pg_class as child on child.relname = classification.table_name
join pg_namespace as child_schema
  on child_schema.oid = child.relnamespace and child_schema.nspname = classification.schema_name
join pg_class as parent on parent.relname = classification.subject_table
join pg_namespace as parent_schema
  on parent_schema.oid = parent.relnamespace and parent_schema.nspname = classification.subject_schema
where classification.subject_table is not null
order by 1, 3;
