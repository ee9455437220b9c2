-- Rows of app_schema.user_audit in scratch databases: one of each action. Not for a real database.
-- Role: nightshift_migrate. Locks: none. Not safe to rerun.
insert into app_schema.user_audit (user_id, action, old_values, new_values, changed_by)
values
  (gen_random_uuid(), 'INSERT', null, '{"status": "active"}', 'seed'),
  (gen_random_uuid(), 'UPDATE', '{"status": "active"}', '{"status": "inactive"}', 'seed'),
  (gen_random_uuid(), 'DELETE', null, null, 'seed');
