-- $1 = rows, $2 = how many of them, the oldest, are past retention: 400 to 100 days old, the others 80 days to now. About 124 bytes each.
insert into app.event (id, created_at, user_id, payload)
overriding system value
select
  number,
  case
    when number <= $2 then now() - interval '400 days' + interval '300 days' * ((number - 1) / $2::float8)
    else now() - interval '80 days' + interval '80 days' * ((number - $2 - 1) / ($1 - $2)::float8)
  end,
  number * 7919 % 100000,
  lpad(number::text, 75, 'x')
from generate_series(1, $1::bigint) as number;
