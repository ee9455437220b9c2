alter table app.item add primary key (id);
create index item_event_id_idx on app.item (event_id);
alter table app.item add foreign key (event_id) references app.event (id) on delete cascade;
