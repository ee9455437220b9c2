-- The rights in schema nightshift that the roles must have, and whether they have them.
-- Role: nightshift_migrate, which owns the schema. Locks: none. Safe to rerun.
-- Backup reads everything through pg_read_all_data, drill never looks here; neither is listed.
with wanted (role_name, privilege, kind, object) as (
  values
    ('nightshift_health', 'usage', 'schema', 'nightshift'),
    ('nightshift_health', 'select', 'table', 'nightshift.migration'),
    ('nightshift_health', 'select', 'table', 'nightshift.migration_step'),
    ('nightshift_health', 'select', 'table', 'nightshift.retention_policy'),
    ('nightshift_health', 'select', 'table', 'nightshift.legal_hold'),
    ('nightshift_health', 'select', 'table', 'nightshift.data_classification'),
    ('nightshift_health', 'select', 'table', 'nightshift.purge_run'),
    ('nightshift_health', 'select', 'table', 'nightshift.purge_stop'),
    ('nightshift_health', 'select', 'table', 'nightshift.pii_without_policy'),
    ('nightshift_health', 'select', 'table', 'nightshift.database_health'),
    ('nightshift_health', 'select', 'table', 'nightshift.slow_queries'),
    ('nightshift_health', 'execute', 'function', 'nightshift.check_database_health()'),
    ('nightshift_health', 'execute', 'function', 'nightshift.read_slow_queries(double precision, integer)'),
    ('nightshift_purge', 'usage', 'schema', 'nightshift'),
    ('nightshift_purge', 'select', 'table', 'nightshift.retention_policy'),
    ('nightshift_purge', 'select', 'table', 'nightshift.legal_hold'),
    ('nightshift_purge', 'select', 'table', 'nightshift.data_classification'),
    ('nightshift_purge', 'select', 'table', 'nightshift.purge_run'),
    ('nightshift_purge', 'insert', 'table', 'nightshift.purge_run'),
    ('nightshift_purge', 'update', 'table', 'nightshift.purge_run'),
    ('nightshift_purge', 'select', 'table', 'nightshift.purge_stop'),
    ('nightshift_purge', 'select', 'table', 'nightshift.pii_without_policy'),
    ('nightshift_purge', 'select', 'table', 'nightshift.purge_object'),
    ('nightshift_purge', 'insert', 'table', 'nightshift.purge_object'),
    ('nightshift_purge', 'select', 'table', 'nightshift.purge_partition'),
    ('nightshift_purge', 'insert', 'table', 'nightshift.purge_partition'),
    ('nightshift_purge', 'update', 'table', 'nightshift.purge_partition')
)
select
  format('%s on %s %s for %s', privilege, kind, object, role_name) as what,
  format('grant %s on %s %s to %I', privilege, kind, object, role_name) as statement,
  coalesce(
    case kind
      when 'schema' then has_schema_privilege(role_name, to_regnamespace(object), privilege)
      when 'table' then has_table_privilege(role_name, to_regclass(object), privilege)
      when 'function' then has_function_privilege(role_name, to_regprocedure(object), privilege)
    end,
    false
  ) as present
from wanted
order by 1;
