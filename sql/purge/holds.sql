-- The legal holds in force, each with its table as the catalog knows it (null: it has been renamed or dropped since).
-- Role: nightshift_purge (SELECT on nightshift.legal_hold). Locks: none. Safe to rerun.
select
  hold.hold_id::text as hold_id,
  to_regclass(format('%I.%I', hold.schema_name, hold.table_name))::oid::int8::text as table_oid,
  format('%s.%s', hold.schema_name, hold.table_name) as table_name,
  hold.key_value,
  hold.is_subject
from nightshift.legal_hold as hold
where hold.released_at is null
  and (hold.held_until is null or hold.held_until > clock_timestamp())
order by hold.hold_id;
