-- Takes a migration out of the history: $4 = statements of its down file that were committed before, null when none was.
-- 0 rows: another run was faster. Role: nightshift_migrate. Locks: row. Safe to rerun: removes nothing then.
delete from nightshift.migration
where kind = $1
  and number = $2
  and checksum = $3
  and case
    when $4::integer is null then state = 'applied'
    else state = 'going down' and statements_done = $4
  end;
