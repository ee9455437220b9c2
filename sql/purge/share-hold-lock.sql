-- Held until the end of the transaction: the INSERT of a legal hold takes it exclusive and so waits.
-- Role: nightshift_purge. Locks: the shared advisory lock `nightshift:legal_hold`, to the end of the transaction.
select pg_advisory_xact_lock_shared(nightshift.lock_key('nightshift:legal_hold'));
