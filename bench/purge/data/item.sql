-- One row of another table for each row that is past retention.
create table app.item (
  id bigint generated always as identity,
  event_id bigint not null,
  note text not null
) with (autovacuum_enabled = off);

grant select, update, delete on app.item to nightshift_purge;
