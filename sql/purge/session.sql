-- How values are written as text in this session, so that cursors, keys and archived rows read back as the same value, and the
-- time zone in which columns without one are compared: without summer time no cutoff is an hour off.
-- A client that vanishes is noticed within half a second, so that its batch is rolled back and does not commit behind its back.
-- No statement is compiled: with many holds that takes seconds for a batch of milliseconds.
-- Index reads are costed as on the disks of RDS: else a batch of some thousand rows may read a whole child table.
-- Role: nightshift_purge. Locks: none. Safe to rerun.
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set timezone = 'UTC';
set extra_float_digits = 3;
set bytea_output = hex;
set client_connection_check_interval = 500;
set random_page_cost = 1.1;
set max_parallel_workers_per_gather = 0;
set jit = off;
