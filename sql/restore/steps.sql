-- The steps of this restore that are done; for an entry that was left out its dump ID.
-- Whoever made the records; no locks; read only.
select
  name,
  case when left_out is not null then substring(name from '^entry (\d+)$')::int end as dump_id
from nightshift_restore.step;
