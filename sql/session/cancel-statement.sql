-- Cancels what session $1 is running. Role: the same role as that session's, or pg_signal_backend. Safe to rerun.
select pg_cancel_backend($1) as cancelled;
