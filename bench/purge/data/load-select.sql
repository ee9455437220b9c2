\set id random(:live_from, :live_to)
select created_at, payload from app.event where id = :id;
