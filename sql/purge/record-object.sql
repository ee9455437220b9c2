-- Makes an object part of the archive, in the transaction that removes its rows. $1 = series, $2 = schema, $3 = table,
-- $4 = number, $5 = columns of its text, $6 = generated columns, $7 = key, $8 = rows, $9 = bytes, $10 = SHA-256.
-- Role: nightshift_purge. Locks: ROW EXCLUSIVE on nightshift.purge_object. A number that is taken is refused.
insert into nightshift.purge_object
  (series_id, schema_name, table_name, number, column_names, generated_columns, object_key, row_count, byte_count, sha256)
values
  ($1::bigint, $2, $3, $4, $5, $6, $7, $8, $9, $10);
