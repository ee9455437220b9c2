-- Whether $2 is a partition of $1 (both as in SQL), and whether it is only half detached. Role: any. Locks: none. Safe to rerun.
select jsonb_build_object('isAttached', count(*) > 0, 'isPending', coalesce(bool_or(inhdetachpending), false)) as facts
from pg_inherits
where inhparent = to_regclass($1)
  and inhrelid = to_regclass($2);
