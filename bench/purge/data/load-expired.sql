\set id random(1, :live_from - 1)
update app.event set payload = repeat('e', 75) where id = :id;
