-- Places a legal hold. $1 = schema, $2 = table, $3 = key or null, $4 = of a person, $5 = why, $6 = until or null, $7 = who.
-- Role: the owner of nightshift.legal_hold, or one that was granted INSERT. Locks: waits for the batch of a running purge.
-- Not safe to rerun: places a second one.
insert into nightshift.legal_hold (schema_name, table_name, key_value, is_subject, reason, held_until, placed_by)
values ($1, $2, $3, $4, $5, $6::timestamptz, $7)
returning hold_id::text as "holdId";
