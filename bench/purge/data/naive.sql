-- What the policy removes, in one statement.
delete from app.event
where created_at < now() - interval '90 days';
