-- After the rows: faster, and as dense as they get.
alter table app.event add primary key (id);
create index event_created_at_idx on app.event (created_at);
create index event_user_id_idx on app.event (user_id);
