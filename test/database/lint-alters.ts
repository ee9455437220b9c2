// ALTERs whose cost lint must know: each is executed on a real server, and relfilenode before and after is the truth.

export interface AlterCase {
  /** Columns of its table, and what else it has, each with rows. `T` stands for the table's name. */
  readonly table: string;
  /** More statements before the rows are inserted. */
  readonly setup?: readonly string[];
  readonly alter: string;
}

/** What all of them may use. */
export const PREAMBLE = `
  create domain free_text as text;
  create domain checked_text as text check (value <> '');
  create domain required_text as text not null default 'x';
  create domain short_text as varchar(10);
  create domain over_checked as checked_text;
  create type colour as enum ('red', 'green');
  create function volatile_one() returns integer language sql volatile as 'select 1';
  create function stable_one() returns integer language sql stable as 'select 1';
  create function unmarked_one() returns integer language sql as 'select 1';
  create function calls_volatile() returns integer language sql as 'select (random() * 9)::integer';
  create function in_plpgsql() returns integer language plpgsql as 'begin return 1; end';
  create function with_setting() returns integer language sql set work_mem = '1MB' as 'select 1';
`;

const id = 'id bigint generated always as identity';
const of = (column: string) => `create table T (${id}, ${column})`;

export const alterCases: readonly AlterCase[] = [
  // Text.
  { table: of('a varchar(20)'), alter: 'alter table T alter a type text' },
  { table: of('a varchar(20)'), alter: 'alter table T alter a type varchar(40)' },
  { table: of('a varchar(20)'), alter: 'alter table T alter a type varchar(10)' },
  { table: of('a varchar(20)'), alter: 'alter table T alter a type varchar' },
  { table: of('a varchar'), alter: 'alter table T alter a type varchar(20)' },
  { table: of('a text'), alter: 'alter table T alter a type varchar(20)' },
  { table: of('a text'), alter: 'alter table T alter a type varchar' },
  { table: of('a text'), alter: 'alter table T alter a type char(20)' },
  { table: of('a char(20)'), alter: 'alter table T alter a type text' },
  { table: of('a char(20)'), alter: 'alter table T alter a type char(30)' },
  { table: of('a char(20)'), alter: 'alter table T alter a type char(20)' },
  { table: of('a char(20)'), alter: 'alter table T alter a type varchar(20)' },
  { table: of('a name'), alter: 'alter table T alter a type text' },
  { table: of('a xml'), alter: 'alter table T alter a type text' },
  { table: of('a text'), alter: 'alter table T alter a type text collate "C"' },
  { table: of('a text'), alter: 'alter table T alter a type text using a' },
  { table: of('a text'), alter: 'alter table T alter a type text using lower(a)' },
  { table: of('a varchar(20)'), alter: 'alter table T alter a type text using a::text' },
  { table: of('a varchar(20)'), alter: 'alter table T alter a type text using a::varchar(30)' },
  { table: of('a varchar(20)'), alter: 'alter table T alter a type text using a::varchar(10)' },
  { table: of('a varchar(20)[]'), alter: 'alter table T alter a type varchar(40)[]' },
  { table: of('a varchar(20)[]'), alter: 'alter table T alter a type text[]' },
  { table: of('a text[]'), alter: 'alter table T alter a type text[]' },
  { table: of('a varchar(20)[]'), alter: 'alter table T alter a type varchar[]' },
  // Domains.
  { table: of('a text'), alter: 'alter table T alter a type free_text' },
  { table: of('a text'), alter: 'alter table T alter a type checked_text' },
  { table: of('a text'), alter: 'alter table T alter a type over_checked' },
  { table: of('a free_text'), alter: 'alter table T alter a type text' },
  { table: of('a checked_text'), alter: 'alter table T alter a type text' },
  { table: of('a short_text'), alter: 'alter table T alter a type varchar(20)' },
  { table: of('a short_text'), alter: 'alter table T alter a type varchar(5)' },
  { table: of('a short_text'), alter: 'alter table T alter a type varchar(10)' },
  { table: of('a short_text'), alter: 'alter table T alter a type varchar' },
  { table: of('a varchar(10)'), alter: 'alter table T alter a type short_text' },
  { table: of('a varchar(20)'), alter: 'alter table T alter a type short_text' },
  { table: of('a text'), alter: 'alter table T add b free_text' },
  { table: of('a text'), alter: 'alter table T add b checked_text' },
  { table: of('a text'), alter: "alter table T add b checked_text default 'x'" },
  { table: of('a text'), alter: 'alter table T add b over_checked' },
  { table: of('a text'), alter: 'alter table T add b required_text' },
  { table: of('a text'), alter: 'alter table T add b checked_text[]' },
  // Numbers.
  { table: of('a integer'), alter: 'alter table T alter a type bigint' },
  { table: of('a bigint'), alter: 'alter table T alter a type integer' },
  { table: of('a integer'), alter: 'alter table T alter a type integer' },
  { table: of('a integer'), alter: 'alter table T alter a type oid' },
  { table: of('a integer'), alter: 'alter table T alter a type numeric' },
  { table: of('a integer'), alter: 'alter table T alter a type text' },
  { table: of('a numeric(10,2)'), alter: 'alter table T alter a type numeric(12,2)' },
  { table: of('a numeric(10,2)'), alter: 'alter table T alter a type numeric(12,3)' },
  { table: of('a numeric(10,2)'), alter: 'alter table T alter a type numeric' },
  { table: of('a numeric(10)'), alter: 'alter table T alter a type numeric(12)' },
  { table: of('a numeric(12,2)'), alter: 'alter table T alter a type numeric(10,2)' },
  { table: of('a numeric'), alter: 'alter table T alter a type numeric(10,2)' },
  { table: of('a real'), alter: 'alter table T alter a type double precision' },
  { table: of('a bit(8)'), alter: 'alter table T alter a type bit(10) using a::bit(10)' },
  { table: of('a bit varying(8)'), alter: 'alter table T alter a type bit varying(16)' },
  { table: of('a bit(8)'), alter: 'alter table T alter a type bit varying' },
  // Times.
  { table: of('a timestamp'), alter: 'alter table T alter a type timestamptz' },
  { table: of('a timestamptz'), alter: 'alter table T alter a type timestamp' },
  { table: of('a timestamp'), alter: "alter table T alter a type timestamptz using a at time zone 'UTC'" },
  { table: of('a timestamp'), alter: 'alter table T alter a type timestamptz using a::timestamptz' },
  { table: of('a timestamp(3)'), alter: 'alter table T alter a type timestamp(6)' },
  { table: of('a timestamp'), alter: 'alter table T alter a type timestamp(3)' },
  { table: of('a timestamp'), alter: 'alter table T alter a type timestamp(6)' },
  { table: of('a timestamptz(0)'), alter: 'alter table T alter a type timestamptz(3)' },
  { table: of('a timestamp(0)'), alter: 'alter table T alter a type timestamptz(3)' },
  { table: of('a timestamp'), alter: 'alter table T alter a type timestamptz(3)' },
  { table: of('a timestamp(3)'), alter: 'alter table T alter a type timestamptz(6)' },
  { table: of('a time(3)'), alter: 'alter table T alter a type time' },
  { table: of('a timestamp'), alter: 'alter table T alter a type date' },
  { table: of('a date'), alter: 'alter table T alter a type timestamp' },
  { table: of('a interval(3)'), alter: 'alter table T alter a type interval(6)' },
  { table: of('a interval'), alter: 'alter table T alter a type interval(3)' },
  { table: of('a interval day to second'), alter: 'alter table T alter a type interval' },
  { table: of('a interval'), alter: 'alter table T alter a type interval day to second' },
  { table: of('a interval'), alter: 'alter table T alter a type interval day to minute' },
  { table: of('a interval year to month'), alter: 'alter table T alter a type interval day to second(2)' },
  { table: of('a interval day to second(2)'), alter: 'alter table T alter a type interval day to second(4)' },
  { table: of('a interval day to second(4)'), alter: 'alter table T alter a type interval second(2)' },
  // Others.
  { table: of('a cidr'), alter: 'alter table T alter a type inet' },
  { table: of('a inet'), alter: 'alter table T alter a type cidr' },
  { table: of('a json'), alter: 'alter table T alter a type jsonb' },
  { table: of('a colour'), alter: 'alter table T alter a type text' },
  { table: of('a text'), alter: "alter table T alter a type colour using 'red'::colour" },
  { table: of('a uuid'), alter: 'alter table T alter a type text' },
  // New columns.
  { table: of('a text'), alter: 'alter table T add b text' },
  { table: of('a text'), alter: "alter table T add b text not null default 'x'" },
  { table: of('a text'), alter: 'alter table T add b timestamptz default now()' },
  { table: of('a text'), alter: 'alter table T add b timestamptz default current_timestamp' },
  { table: of('a text'), alter: 'alter table T add b timestamptz default clock_timestamp()' },
  { table: of('a text'), alter: 'alter table T add b uuid default gen_random_uuid()' },
  { table: of('a text'), alter: 'alter table T add b double precision default random()' },
  { table: of('a text'), alter: 'alter table T add b integer default volatile_one()' },
  { table: of('a text'), alter: 'alter table T add b integer default stable_one()' },
  { table: of('a text'), alter: 'alter table T add b integer default unmarked_one()' },
  { table: of('a text'), alter: 'alter table T add b integer default calls_volatile()' },
  { table: of('a text'), alter: 'alter table T add b integer default in_plpgsql()' },
  { table: of('a text'), alter: 'alter table T add b integer default with_setting()' },
  { table: of('a text'), alter: 'alter table T add b integer default 1 + 2' },
  { table: of('a text'), alter: 'alter table T add b serial' },
  { table: of('a text'), alter: 'alter table T add b bigserial' },
  {
    table: 'create table T (id bigint, a text)',
    alter: 'alter table T add b bigint generated always as identity',
  },
  { table: of('a text'), alter: 'alter table T add b integer generated always as (length(a)) stored' },
  { table: of('a text'), alter: 'alter table T add b text, add c uuid default gen_random_uuid()' },
  // The table as a whole.
  { table: of('a text'), alter: 'alter table T set unlogged' },
  { table: of('a text'), alter: 'alter table T set logged' },
  { table: `create unlogged table T (${id}, a text)`, alter: 'alter table T set logged' },
  { table: `create unlogged table T (${id}, a text)`, alter: 'alter table T set unlogged' },
  { table: of('a text'), alter: 'alter table T set tablespace pg_default' },
  { table: of('a text'), alter: 'alter table T set access method heap' },
  { table: of('a text'), alter: 'alter table T set (fillfactor = 70)' },
  { table: of('a text'), alter: 'alter table T alter a set storage external' },
  { table: of('a text'), alter: 'alter table T drop column a' },
  { table: of('a text'), alter: "alter table T alter a set default 'x'" },
  { table: of("a text default 'x'"), alter: 'alter table T alter a set not null' },
  { table: of('a text'), alter: "alter table T add constraint T_a check (a <> 'zz')" },
  { table: of('a text'), alter: 'alter table T replica identity full' },
  { table: of('a text'), setup: ['create index T_id_idx on T (id)'], alter: 'cluster T using T_id_idx' },
  { table: of('a text'), alter: 'vacuum full T' },
  { table: of('a text'), alter: 'vacuum T' },
  // With indexes: which of them are built anew.
  {
    table: of('a varchar(20)'),
    setup: ['create index T_a on T (a)', 'create index T_lower on T (lower(a))', 'create index T_id on T (id)'],
    alter: 'alter table T alter a type text',
  },
  {
    table: of('a varchar(20)'),
    setup: ["create index T_part on T (id) where a <> 'x'", 'create index T_a on T (a) include (id)'],
    alter: 'alter table T alter a type varchar(40)',
  },
  {
    table: of('a varchar(20)'),
    setup: ['alter table T add constraint T_key unique (a, id)'],
    alter: 'alter table T alter a type text',
  },
  { table: of('a text'), setup: ['create index T_a on T (a)'], alter: 'alter table T alter a type text collate "C"' },
  { table: of('a timestamp'), setup: ['create index T_a on T (a)'], alter: 'alter table T alter a type timestamptz' },
  { table: of('a cidr'), setup: ['create index T_a on T (a)'], alter: 'alter table T alter a type inet' },
  { table: of('a integer'), setup: ['create index T_a on T (a)'], alter: 'alter table T alter a type oid' },
  {
    table: of('a integer'),
    setup: ['create index T_a on T (a)', 'create index T_id on T (id)'],
    alter: 'alter table T alter a type bigint',
  },
  { table: of('a text'), setup: ['create index T_a on T (a)'], alter: 'alter table T alter a type free_text' },
  {
    table: of('a numeric(10,2)'),
    setup: ['create index T_a on T (a)'],
    alter: 'alter table T alter a type numeric(12,2)',
  },
];
