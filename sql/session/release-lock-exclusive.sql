-- Gives the advisory lock named $1 (exclusive) back once; false when this session does not hold it.
-- Role: any. Locks: none. Safe to rerun.
select pg_advisory_unlock(hashtextextended($1, 0)) as released;
