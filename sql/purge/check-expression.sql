-- Asks the server whether a text of a policy is one expression over the table, of a type. Nothing is executed.
-- Role: nightshift_purge (SELECT on the table). Locks: ACCESS SHARE on the table for an instant. Safe to rerun.
-- The text stands once in round and once in square brackets: text that closes the one kind to escape
-- (`true) or (true`) cannot fit into the other. $1 keeps it one statement: the extended protocol refuses a second.
explain
select
  array[
{expression}
  ]::{type}[],
  $1::text
from {table} as t
where {as_condition};
