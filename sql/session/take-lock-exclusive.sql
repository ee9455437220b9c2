-- Takes the advisory lock named $1 (exclusive) for the session if it is free; never waits.
-- Role: any. Locks: the advisory lock only. Safe to rerun, but each success needs its own release.
select pg_try_advisory_lock(hashtextextended($1, 0)) as taken;
