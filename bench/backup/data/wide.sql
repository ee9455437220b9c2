-- A wide table: about 299 bytes of COPY text per row, which gzip level 1 makes about five times smaller.
-- Run by the benchmark as superuser in a database of its own; filled by fill-wide.sql.
create table wide (
  id bigint not null,
  customer_id integer not null,
  token text not null,
  body text not null
);
