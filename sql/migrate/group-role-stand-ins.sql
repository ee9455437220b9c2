-- Stand-ins in a scratch database for the functions of sql/roles/group-role-functions.sql: the role of migrate may not make
-- roles, and the real ones belong to the administrator. A role that is missing is asked for by an error that run-script.ts
-- answers through the live database; one to be dropped is noted until the commit.
-- Role: nightshift_migrate. Locks: none. Safe to rerun.
create or replace function nightshift.create_group_role(role_name name)
  returns void
  language plpgsql
as $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
    raise exception 'role "%" is missing', role_name
      using errcode = 'NSR01', detail = role_name;
  end if;
end
$$;

create or replace function nightshift.drop_group_role(role_name name)
  returns void
  language plpgsql
as $$
begin
  perform pg_catalog.set_config(
    'nightshift.dropped_roles',
    pg_catalog.concat_ws(' ', nullif(pg_catalog.current_setting('nightshift.dropped_roles', true), ''), role_name),
    false
  );
end
$$;
