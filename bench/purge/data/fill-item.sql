-- $1 = rows of app.event that are past retention.
insert into app.item (event_id, note)
select number, lpad(number::text, 40, 'y')
from generate_series(1, $1::bigint) as number;
