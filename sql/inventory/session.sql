-- The settings under which an inventory is read: what the text of a definition depends on. Any role; no locks; until the savepoint is rolled back.
set local search_path = '';
set local quote_all_identifiers = off;
set local datestyle = iso;
set local intervalstyle = postgres;
set local timezone = 'UTC';
set local extra_float_digits = 3;
set local bytea_output = hex;
set local lc_monetary = 'C';
