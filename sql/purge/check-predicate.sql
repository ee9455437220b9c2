-- Asks the server whether the predicate of a policy is one boolean expression over the table. Nothing is executed.
-- Role: nightshift_purge (SELECT on the table). Locks: ACCESS SHARE on the table for an instant. Safe to rerun.
-- The predicate stands once in round and once in square brackets: text that closes the one kind to escape
-- (`true) or (true`) cannot fit into the other. $1 keeps it one statement: the extended protocol refuses a second.
explain
select
  array[
{predicate}
  ]::boolean[],
  $1::text
from {table} as t
where (
{predicate}
);
