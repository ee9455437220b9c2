-- How values are written as text in this session, so that cursors, keys and archived rows read back as the same value, and
-- the time zone in which columns without one are compared. Role: nightshift_purge. Locks: none. Safe to rerun.
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set timezone = 'UTC';
set extra_float_digits = 3;
set bytea_output = hex;
