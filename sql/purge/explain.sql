-- How the server would choose a batch, in its words. Nothing is executed. Role: nightshift_purge (SELECT). Locks: ACCESS SHARE.
explain (costs off, format json) {statement}
