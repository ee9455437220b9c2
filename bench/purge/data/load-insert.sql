\set person random(0, 99999)
insert into app.event (created_at, user_id, payload) values (now(), :person, repeat('n', 75));
