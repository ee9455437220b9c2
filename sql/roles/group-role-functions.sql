-- Lets nightshift_migrate make and remove application roles (no login, no attributes, no memberships) without CREATEROLE,
-- which on PostgreSQL 14 and 15 would let it take over almost every other role.
-- Role: the administrator, whose rights the functions use. Locks: none. Safe to rerun.
create or replace function nightshift.create_group_role(role_name name)
  returns void
  language plpgsql
  security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if role_name !~ '^[a-z][a-z0-9_]*$' or role_name ~ '^(pg_|rds|nightshift_)' then
    raise exception 'role "%" is not made: the name must be lower case and must not begin with pg_, rds or nightshift_', role_name
      using errcode = 'invalid_parameter_value';
  end if;
  execute format('create role %I nologin', role_name);
  execute format('comment on role %I is %L', role_name, 'made by nightshift.create_group_role in ' || current_database());
exception
  -- Another database of this cluster has made it in the meantime: it is there, which is what the caller wants.
  when duplicate_object or unique_violation then
    null;
end
$$;

create or replace function nightshift.drop_group_role(role_name name)
  returns void
  language plpgsql
  security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  role_oid oid := (select oid from pg_roles where rolname = role_name and not rolcanlogin);
begin
  if role_oid is null
    or shobj_description(role_oid, 'pg_authid')
      is distinct from 'made by nightshift.create_group_role in ' || current_database()
  then
    raise notice 'role "%" stays: it was not made by a migration of this database', role_name;
    return;
  end if;
  -- DROP ROLE would silently end the memberships. From 16 on the one who made the role is a member of it by itself.
  if exists (
    select from pg_auth_members where roleid = role_oid and member <> (select oid from pg_roles where rolname = current_user)
  ) then
    raise notice 'role "%" stays: other roles are members of it', role_name;
    return;
  end if;
  execute format('drop role %I', role_name);
exception
  when dependent_objects_still_exist then
    raise notice 'role "%" stays: objects depend on it, perhaps in another database', role_name;
end
$$;

revoke execute on function nightshift.create_group_role(name) from public;
revoke execute on function nightshift.drop_group_role(name) from public;
grant execute on function nightshift.create_group_role(name) to nightshift_migrate;
grant execute on function nightshift.drop_group_role(name) to nightshift_migrate;
