-- Whether the enum $1 (as in SQL) has the label $2. Role: any. Locks: none. Safe to rerun.
select jsonb_build_object('isThere', count(*) > 0) as facts
from pg_enum
where enumtypid = to_regtype($1)
  and enumlabel = $2;
