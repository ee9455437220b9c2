-- Settings that sessions of this role get in the live database, those of the role before those of the database.
-- Any role; no locks; read only.
select distinct on (name)
  split_part(one, '=', 1) as name,
  substr(one, strpos(one, '=') + 1) as value
from pg_catalog.pg_db_role_setting s
cross join lateral unnest(s.setconfig) one
where s.setdatabase = (select oid from pg_catalog.pg_database where datname = current_database())
  and s.setrole in (0, (select oid from pg_catalog.pg_roles where rolname = current_user))
order by name, s.setrole desc;
