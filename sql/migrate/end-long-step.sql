-- Takes out the row of the statement that ran alone. Role: nightshift_migrate. Locks: row. Safe to rerun: removes nothing then.
delete from nightshift.migration_long_step
where kind = 'application'
  and number = $1;
