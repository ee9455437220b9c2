-- Whether constraint $2 of table $1 (as in SQL) is validated; null when there is none. Role: any. Locks: none. Safe to rerun.
select jsonb_build_object('isValidated', bool_and(convalidated)) as facts
from pg_constraint
where conrelid = to_regclass($1)
  and conname = $2;
