-- Says that a migration is applied. Runs as the first statement of its transaction, so that of two runs that passed each
-- other only one goes on; the other fails on the primary key before it has changed anything.
-- Role: nightshift_migrate. Locks: row. Not safe to rerun: the key refuses it.
insert into nightshift.migration (kind, number, name, checksum, requested_by, request_id)
values ($1, $2, $3, $4, $5, $6);
