-- The end of the inventory: one row for each object, with its owner and its grants in an order of their own. Who has granted
-- is left out: it gives nobody a right. Not a statement of its own; any role; read only.
select
  o.kind,
  o.schema,
  o.relation,
  o.identity,
  o.definition,
  pg_catalog.pg_get_userbyid(o.owner)::text as owner,
  case
    when o.acl_type is not null then (
      select
        coalesce(
          string_agg(
            distinct case when a.grantee = 0 then 'public' else pg_catalog.pg_get_userbyid(a.grantee)::text end
              || '=' || a.privilege_type || case when a.is_grantable then '*' else '' end,
            ' '
          ),
          'none'
        )
      from pg_catalog.aclexplode(coalesce(o.acl, pg_catalog.acldefault(o.acl_type, o.owner))) a
    )
  end as privileges
from object o
