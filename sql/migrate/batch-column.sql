-- Whether column $2 of table $1 (as in SQL) can part its rows into batches: its type, whether it can be null, and whether an index
-- that is valid and not partial begins with it. No row when there is no such column. Role: any. Locks: none. Safe to rerun.
select
  format_type(a.atttypid, a.atttypmod) as type,
  a.attnotnull as is_not_null,
  exists (
    select
    from pg_index i
    where i.indrelid = a.attrelid
      and i.indisvalid
      and i.indpred is null
      and i.indkey[0] = a.attnum
  ) as is_indexed,
  c.reltuples::double precision as estimated_rows
from pg_attribute a
join pg_class c on c.oid = a.attrelid
where a.attrelid = to_regclass($1)
  and a.attname = $2
  and a.attnum > 0
  and not a.attisdropped;
