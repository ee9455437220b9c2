-- Ends the rows of runs whose session is gone: whoever holds the lock of purge is the only run alive.
-- Role: nightshift_purge. Locks: ROW EXCLUSIVE on nightshift.purge_run. Safe to rerun. Its batches are committed or gone.
update nightshift.purge_run
set
  state = 'failed',
  error = 'the session of the run vanished',
  changed_at = clock_timestamp(),
  finished_at = clock_timestamp()
where state = 'running'
returning policy;
