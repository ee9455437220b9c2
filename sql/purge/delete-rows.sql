-- Deletes rows that are locked. Role: nightshift_purge (SELECT, DELETE). Locks: ROW EXCLUSIVE on the table; the rows are
-- locked already. Safe to rerun: rows that are gone are not found.
delete from {table} as t
where {rows};
