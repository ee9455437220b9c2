-- Deletes the chosen rows. $1 = cutoff, then one array of key values for each key column.
-- Role: nightshift_purge (SELECT, DELETE). Locks: ROW EXCLUSIVE on the table; the rows are locked already.
-- Safe to rerun: rows that are gone are not found.
delete from {table} as t
using unnest({key_arrays}) as chosen ({key_aliases})
where {key_matches}
  and t.{timestamp} < $1::{timestamp_type};
