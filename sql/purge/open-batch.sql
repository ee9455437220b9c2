-- The first statements of the transaction of a batch. A deferred foreign key would fail at the commit, where no savepoint can tell which row it
-- was. The INSERT of a legal hold takes the lock exclusive and so returns only when no batch can still touch a held row.
-- Role: nightshift_purge. Locks: the shared advisory lock `nightshift:legal_hold`, to the end of the transaction.
set constraints all immediate;
select pg_advisory_xact_lock_shared(nightshift.lock_key('nightshift:legal_hold'));
savepoint chosen;
