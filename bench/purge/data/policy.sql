-- Between the oldest live row, which is 80 days old, and the youngest of the others, which is 100 days old.
insert into nightshift.retention_policy
  (name, schema_name, table_name, timestamp_column, retention, action, archive_before_delete, enabled, reason)
values
  ('events', 'app', 'event', 'created_at', interval '90 days', 'delete', false, true, 'benchmark');
