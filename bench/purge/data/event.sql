-- The table that is purged. No autovacuum: it would fall into some runs only.
create schema app;
create table app.event (
  id bigint generated always as identity,
  created_at timestamptz not null,
  user_id integer not null,
  payload text not null
) with (autovacuum_enabled = off);

grant usage on schema app to nightshift_purge, app;
grant select, insert, update on app.event to app;
grant select, update, delete on app.event to nightshift_purge;
