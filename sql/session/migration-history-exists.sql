-- Whether schema nightshift and its history table are there. Role: any. Locks: none. Safe to rerun.
select exists (
  select
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'nightshift'
    and c.relname = 'migration'
) as present;
