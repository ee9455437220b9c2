-- Rows: of the big table, and values that test what COPY can carry. Sizes come from the loader:
-- rich.rows (rows of the big table), rich.value_bytes (length of the largest single values).
insert into app.big (id, created, author, body, amount, meta)
select
  i,
  '2020-01-01 00:00:00+00'::timestamptz + i * interval '1 second',
  'author ' || i % 97,
  'Document ' || i || case i % 50 when 0 then E'\ttab\nnewline \\ backslash \b\f\v\r' else '' end || md5(i::text) || repeat('lorem ipsum ', (i % 20)::int),
  case when i % 10 > 0 then i * 1.25 end,
  jsonb_build_object('k', i % 10, 'tags', jsonb_build_array('a', 'b', i % 3))
from generate_series(1, current_setting('rich.rows')::bigint) i;
-- Dead rows and rows that moved to another page: a range of blocks must still read what the snapshot sees.
delete from app.big where id % 11 = 0;
update app.big set touched = touched + 1 where id % 7 = 0;
insert into app.child (big_id, generated_a, parent, secret)
select b.id, 1 + b.id % 300, null, decode(md5(b.id::text), 'hex') from app.big b order by b.id limit 2000;
update app.child set parent = id - 1 where id % 5 = 0;
insert into app.events (ts, kind, payload)
select '2023-12-01 00:00:00+00'::timestamptz + i * interval '8 hours', i % 5, 'payload ' || i from generate_series(1, 4000) i;
insert into public.rich_setting values (100, 'of the user'), (101, null), (102, E'tab\there');

create table app.texts (id int primary key, t text);
insert into app.texts (id, t) values
  (1, null), (2, ''), (3, '\N'), (4, '\.'), (5, E'\b\f\n\r\t\v\\'), (6, E'\\\\N'), (7, E'\r\n'), (8, E'\n'), (9, E'ends with a backslash\\'),
  (10, E'\\.\n'), (11, E'\restrict looks like the line of a dump'), (12, E'\x01\x02\x1f\x7f'), (13, 'é☃𐍈 ｆｕｌｌ ‮right to left'),
  (14, E'COPY app.texts (id, t) FROM stdin;\n\\.\n'), (15, repeat(E'\\', 9000)), (16, repeat('\N', 3000)), (17, repeat(E'\t', 9000)),
  (18, '--'), (19, $$'); drop table app.texts; --$$), (20, repeat('ü', 3000));
insert into app.texts select 1000 + n, E'every byte that is a character: ' || chr(n) from generate_series(1, 255) n;

create table app.numbers (id int primary key, n numeric, f float4, d float8, i bigint, s smallint, b boolean, m money);
insert into app.numbers values
  (1, 'NaN', 'NaN', 'NaN', 9223372036854775807, 32767, true, '$1.00'),
  (2, 'Infinity', 'Infinity', 'Infinity', -9223372036854775808, -32768, false, '-$92233720368547758.08'),
  (3, '-Infinity', '-Infinity', '-Infinity', 0, 0, null, null),
  (4, ('1' || repeat('0', 131071))::numeric, '3.4028235e38', '1.7976931348623157e308', null, null, null, null),
  (5, ('0.' || repeat('0', 16382) || '1')::numeric, '1e-45', '5e-324', 1, 1, true, '$0.01'),
  (6, 0.1, 0.1, 0.1, 1, 1, true, null),
  (7, 1.10, '-0', '-0', 1, 1, true, null);

create table app.instants (id int primary key, t timestamp, tz timestamptz, d date, h time, hz timetz, i interval);
insert into app.instants values
  (1, 'infinity', 'infinity', 'infinity', '24:00', '00:00+15:59', '178000000 years'),
  (2, '-infinity', '-infinity', '-infinity', '00:00', '23:59:59.999999-15:59', '-178000000 years'),
  (3, '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999+00', '4713-01-01 BC', '23:59:59.999999', null, '1 mon -1 day +00:00:00.000001'),
  (4, null, '2026-03-29 02:30:00 Europe/Berlin', '5874897-12-31', null, null, '-1 year +2 days -03:04:05.6');

create table app.others (id int primary key, a int[], t text[], j json, jb jsonb, x xml, u uuid, ip inet, m macaddr, v bit varying, ts tsvector, q tsquery, c "char", o oid, n name, p path);
insert into app.others values
  (1, '{{1,2},{3,NULL}}', array['a,b', '"q"', '\', 'NULL', null, '', E'new\nline', '{}'], '{"a":  1, "a": "\u2603"}', '{"a": 1e400, "b": "\\ \" ü"}',
   '<a b="c">&lt;</a>', '00000000-0000-0000-0000-000000000000', '::1/64', '08:00:2b:01:02:03', B'10101', 'a:1 b:2A ''it''''s'':3', 'a & !b', 'x', 4294967295, 'name', '((0,0),(1,1))'),
  (2, '[-5:-4]={1,2}', '{}', 'null', 'null', null, null, null, null, B'', '', '', '', 0, '', '[(0,0)]');

create table app.toasted (id int primary key, compressed text, external bytea, t text);
alter table app.toasted alter column external set storage external;
insert into app.toasted
select n, repeat('compressible ' || n, 20000), decode(repeat(md5(n::text), 4000), 'hex'), (select string_agg(md5((n * 1000 + k)::text), '') from generate_series(1, 500) k)
from generate_series(1, 40) n;
insert into app.toasted values
  (1001, repeat('x', current_setting('rich.value_bytes')::int), null, null),
  (1002, null, decode(repeat('00ff10', current_setting('rich.value_bytes')::int / 3), 'hex'), null),
  (1003, null, '', repeat(E'tab\tand \\ ', current_setting('rich.value_bytes')::int / 10));
