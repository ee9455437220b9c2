-- $1 rows. Of the 299 bytes 56 are hash digits that no codec makes much smaller; the rest comes again within 32 KiB.
insert into wide
select
  n,
  (n * 7919) % 100000,
  md5(n::text),
  repeat(md5('a' || n % 1000), 4) || ' ' || left(md5((n * 7)::text), 24) || ' '
    || repeat('packed, checked and handed over; ', 3)
from generate_series(1, $1::bigint) n;
