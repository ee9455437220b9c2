-- Makes this session the holder of the snapshot of its transaction: under the name $1, by which workers find it, and with
-- nothing that could end it but its own end, a command of a person, or (unless $2) the loss of its client.
-- $3 = key of the workers of the backup, $4 = what they call themselves, $5 = seconds to hold, $6 = looks without a worker
-- after which it ends: hold-snapshot.sql takes no parameters.
-- The name is for this transaction only, so that one that has failed does not look like a holder. Any role; no locks.
select
  pg_catalog.set_config('statement_timeout', '0', true),
  pg_catalog.set_config('lock_timeout', '0', true),
  -- The statement has ended but the client is frozen: nobody will use this session any more. The second takes effect
  -- when the transaction has been committed.
  pg_catalog.set_config('idle_in_transaction_session_timeout', '10s', true),
  pg_catalog.set_config('idle_session_timeout', '10s', false),
  case when $2::boolean then pg_catalog.set_config('client_connection_check_interval', '0', true) end,
  -- From PostgreSQL 17 on.
  (select pg_catalog.set_config(name, '0', true) from pg_catalog.pg_settings where name = 'transaction_timeout'),
  pg_catalog.set_config('nightshift.holder_key', $3, true),
  pg_catalog.set_config('nightshift.holder_worker', $4, true),
  pg_catalog.set_config('nightshift.holder_life', $5, true),
  pg_catalog.set_config('nightshift.holder_alone', $6, true),
  pg_catalog.set_config('nightshift.holder_unseen', '0', true),
  pg_catalog.set_config('application_name', $1, true);
