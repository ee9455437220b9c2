-- Rows of app_schema.users in scratch databases: one of each status, one of them locked. Not for a real database.
-- Role: nightshift_migrate. Locks: none. Not safe to rerun.
insert into app_schema.users (username, email, password_hash, status, failed_login_attempts, locked_until)
values
  ('ada', 'ada@example.com', '$2b$12$' || repeat('a', 53), 'active', 0, null),
  ('grace', 'grace@example.com', '$2b$12$' || repeat('g', 53), 'inactive', 1, null),
  ('alan', 'alan@example.com', '$2b$12$' || repeat('l', 53), 'suspended', 5, now() + interval '1 day');
