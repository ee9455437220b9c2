-- Takes the advisory lock named $1 (shared) for the session if it is free; never waits.
-- Role: any. Locks: the advisory lock only. Safe to rerun, but each success needs its own release.
select pg_try_advisory_lock_shared(hashtextextended($1, 0)) as taken;
