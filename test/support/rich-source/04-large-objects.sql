-- Large objects, as many as rich.large_objects says: two owners, grants, comments, empty, sparse, of many pages.
-- OIDs are given, because they are in the archive.
select lo_from_bytea(
  70000 + n,
  case n % 10
    when 1 then ''::bytea
    when 3 then decode(repeat('deadbeef', 1250 + n), 'hex')
    else decode(md5(n::text), 'hex')
  end
)
from generate_series(1, current_setting('rich.large_objects')::int) n
where n % 10 <> 2;
select lo_create(70000 + n) from generate_series(1, current_setting('rich.large_objects')::int) n where n % 10 = 2;
-- A hole at the beginning, a hole in the middle, and an end exactly at a page.
select lo_put(70000 + n, 10000, 'tail') from generate_series(1, current_setting('rich.large_objects')::int) n where n % 10 = 2;
select lo_put(70003, 1000003, 'far away');
select lo_from_bytea(79999, decode(repeat('ab', 4096), 'hex'));
select lo_from_bytea(3000000000, decode(repeat('00112233', current_setting('rich.value_bytes')::int / 4), 'hex'));
do $$ begin
  for n in 1..current_setting('rich.large_objects')::int loop
    if n % 3 = 0 then execute format('alter large object %s owner to rich_owner', 70000 + n); end if;
    -- Only where rich_owner is not the owner: a grant to the owner leaves an explicit default, which a restore does not keep.
    if n % 4 = 0 and n % 3 > 0 then execute format('grant select on large object %s to rich_owner', 70000 + n); end if;
    if n % 5 = 0 then execute format('grant select on large object %s to public', 70000 + n); end if;
  end loop;
end $$;
comment on large object 70007 is 'a ''comment''';
