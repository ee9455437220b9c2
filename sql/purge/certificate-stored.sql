-- Writes down where the certificate of a series lies. $1 = series, $2 = key.
-- Role: nightshift_purge. Locks: ROW EXCLUSIVE on nightshift.purge_run. Safe to rerun.
update nightshift.purge_run
set certificate_key = $2
where coalesce(series_id, purge_run_id) = $1::bigint
  and certificate_key is distinct from $2;
