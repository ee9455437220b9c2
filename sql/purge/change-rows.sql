-- Changes rows that are locked. Role: nightshift_purge (SELECT, UPDATE on these columns). Locks: ROW EXCLUSIVE on the table;
-- the rows are locked already.
update {table} as t
set {assignments}
where {rows};
