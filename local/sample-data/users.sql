-- Fills app_schema.users of the local throw-away cluster with made-up accounts. Never runs in production.
-- $1 = number of users. One statement, so run it with its parameter: client.query(text, [200000]); then user-changes.sql.
-- The same number gives the same users; only the dates move with the day on which it runs.
-- Role: superuser of the local cluster (row level security would refuse the owner). Locks: rows. Not safe to rerun.
-- Of 100 users about 80 are active, 6 suspended, 6 inactive for less and 8 inactive for more than 7 years.
-- Every user gets its audit row from the real trigger.
-- MATERIALIZED: otherwise every hash is computed again wherever it is used.
with hashed as materialized (
  select
    i,
    md5('nightshift user ' || i) as hash
  from generate_series(1, $1::integer) as i
),
made as (
  select
    i,
    hash,
    date_trunc('day', now()) as today,
    -- Two independent numbers from 0 to 65,535 per user.
    ('x' || substr(hash, 1, 4))::bit(16)::integer as first_random,
    ('x' || substr(hash, 5, 4))::bit(16)::integer as second_random
  from hashed
),
placed as materialized (
  select
    i,
    hash,
    today,
    second_random,
    case
      when first_random % 100 < 80 then 'active'
      when first_random % 100 < 86 then 'suspended'
      else 'inactive'
    end as status,
    case
      when first_random % 100 < 86 then today - make_interval(hours => second_random % (24 * 365))
      when first_random % 100 < 92 then today - make_interval(days => 30 + second_random % (365 * 6))
      else today - make_interval(days => 365 * 7 + 10 + second_random % (365 * 3))
    end as last_change
  from made
)
insert into app_schema.users (
  id, username, email, password_hash, status, created_at, updated_at, last_login_at, failed_login_attempts, locked_until
)
select
  hash::uuid,
  'user_' || lpad(i::text, 8, '0'),
  'user.' || lpad(i::text, 8, '0') || '@example.com',
  '$2b$12$' || hash || substr(hash, 1, 21),
  status,
  last_change - make_interval(hours => second_random % (24 * 700)),
  last_change,
  case when second_random % 5 > 0 then last_change - make_interval(mins => second_random % 600) end,
  case when status = 'suspended' then 5 else second_random % 3 end,
  case when second_random % 97 = 0 then today + make_interval(hours => 1 + second_random % 72) end
from placed
order by i;
