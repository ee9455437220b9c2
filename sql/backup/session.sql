-- The settings under which the snapshot is read: pg_dump's own and two that it leaves to the role, so that the text of a value
-- depends on no default (a drill compares it); no time limits, because the transaction lives as long as the backup. Any role; no locks; for this transaction only.
set local datestyle = iso;
set local intervalstyle = postgres;
set local extra_float_digits = 3;
set local timezone = 'UTC';
set local bytea_output = hex;
set local synchronize_seqscans = off;
set local row_security = off;
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0;
-- Since PostgreSQL 17 it ends a transaction of any kind; older servers have no such setting and get no row.
select pg_catalog.set_config(name, '0', true) from pg_catalog.pg_settings where name = 'transaction_timeout';
