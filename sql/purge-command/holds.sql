-- The legal holds in force. Keys of persons are shown: whoever may read this table may see them.
-- Role: nightshift_purge (SELECT on nightshift.legal_hold). Locks: none. Safe to rerun.
select
  hold_id::text as "holdId",
  format('%s.%s', schema_name, table_name) as "table",
  key_value as key,
  is_subject as "ofPerson",
  reason,
  placed_by as "placedBy",
  to_char(placed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "placedAt",
  to_char(held_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "until"
from nightshift.legal_hold
where released_at is null
  and (held_until is null or held_until > clock_timestamp())
order by hold_id;
