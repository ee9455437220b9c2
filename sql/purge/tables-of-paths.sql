-- Of the tables $1 (oids): their names, the columns of their primary key, and which columns are classified as holding the key of a
-- person ($2 = oids of the tables of persons). Role: nightshift_purge. Locks: none. Safe to rerun.
select
  class.oid as table_oid,
  namespace.nspname::text as schema_name,
  class.relname::text as table_name,
  (
    select
      coalesce(
        jsonb_agg(
          jsonb_build_object('name', attribute.attname, 'type', format_type(attribute.atttypid, attribute.atttypmod))
          order by array_position(index.indkey::int2[], attribute.attnum)
        ),
        '[]'
      )
    from pg_index as index
    join pg_attribute as attribute
      on attribute.attrelid = index.indrelid
      and attribute.attnum = any (index.indkey)
    where index.indrelid = class.oid
      and index.indisprimary
  ) as key_columns,
  (
    select
      coalesce(jsonb_agg(jsonb_build_object('name', classified.column_name, 'subjectOid', subject.oid::bigint)), '[]')
    from nightshift.data_classification as classified
    join pg_namespace as subject_namespace on subject_namespace.nspname = classified.subject_schema
    join pg_class as subject
      on subject.relnamespace = subject_namespace.oid
      and subject.relname = classified.subject_table
    where classified.schema_name = namespace.nspname
      and classified.table_name = class.relname
      and subject.oid = any ($2::oid[])
  ) as classified
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
where class.oid = any ($1::oid[]);
