-- When the tables $1 (as in SQL) were last vacuumed by hand: the oldest of them, null when one never was.
-- Role: any. Locks: none. Safe to rerun.
select jsonb_build_object(
  'oldest', case when bool_and(s.last_vacuum is not null) then to_char(min(s.last_vacuum) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end
) as facts
from unnest($1::text[]) as w (name)
left join pg_stat_all_tables s on s.relid = to_regclass(w.name);
