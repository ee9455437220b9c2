-- Changes every tenth of the active users of users.sql, so that the audit trail holds updates as well. Never runs in production.
-- Role: superuser of the local cluster. Locks: rows. Safe to rerun: it changes the same users again.
update app_schema.users
set
  last_login_at = now(),
  failed_login_attempts = 0
where status = 'active'
  and substr(md5(id::text), 1, 1) in ('0', '1')
  and username ~ '^user_\d{8}$';
