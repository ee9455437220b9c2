\set id random(:live_from, :live_to)
update app.event set payload = repeat('u', 75) where id = :id;
