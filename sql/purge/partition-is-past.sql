-- Whether a partition with the recorded bounds $1 of a key of the type $2 is past the cutoff $3; null when the bounds have no end.
-- Needs sql/purge/session.sql before. Role: any. Locks: none. Safe to rerun.
with bounded as (
  select (regexp_match($1::text, '^FOR VALUES FROM \(.*\) TO \(''([^'']*)''\)$'))[1] as upper_bound
)
select
  case $2::text
    when 'date' then upper_bound::date <= $3::timestamptz
    when 'timestamp without time zone' then upper_bound::timestamp <= $3::timestamptz
    else upper_bound::timestamptz <= $3::timestamptz
  end as is_past
from bounded;
