// Everything that a migration can change, as sorted lines of text: two snapshots are equal exactly when the catalogs are.
// No oids, so that an object that was dropped and made again is the same object.
import type { Client } from 'pg';

const QUERIES: Readonly<Record<string, string>> = {
  schema: `select format('%s owner=%s acl=%s comment=%s', nspname, pg_get_userbyid(nspowner), nspacl::text, obj_description(oid, 'pg_namespace'))
    from pg_namespace where nspname !~ '^pg_(toast|temp)'`,
  relation: `select format('%s.%s kind=%s owner=%s acl=%s rls=%s force=%s options=%s replident=%s comment=%s', n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner),
      c.relacl::text, c.relrowsecurity, c.relforcerowsecurity, c.reloptions::text, c.relreplident, obj_description(c.oid, 'pg_class'))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^(pg_|information_schema)'`,
  column: `select format('%s.%s.%s at=%s type=%s notnull=%s default=%s identity=%s generated=%s acl=%s comment=%s', n.nspname, c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod),
      a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attacl::text, col_description(c.oid, a.attnum))
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attnum > 0 and n.nspname !~ '^(pg_|information_schema)'`,
  constraint: `select format('%s.%s %s %s valid=%s', n.nspname, c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid), c.convalidated)
    from pg_constraint c join pg_namespace n on n.oid = c.connamespace where n.nspname !~ '^(pg_|information_schema)'`,
  index: `select format('%s valid=%s ready=%s', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready)
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^(pg_|information_schema)'`,
  trigger: `select format('%s enabled=%s', pg_get_triggerdef(oid), tgenabled) from pg_trigger where not tgisinternal`,
  routine: `select format('%s.%s owner=%s acl=%s config=%s definer=%s comment=%s %s', n.nspname, p.oid::regprocedure, pg_get_userbyid(p.proowner), p.proacl::text, p.proconfig::text, p.prosecdef,
      obj_description(p.oid, 'pg_proc'), p.prosrc)
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname !~ '^(pg_|information_schema)'`,
  view: `select format('%s.%s %s', schemaname, viewname, definition) from pg_views where schemaname !~ '^(pg_|information_schema)'`,
  policy: `select format('%s %s cmd=%s permissive=%s roles=%s using=%s check=%s', polrelid::regclass, polname, polcmd, polpermissive,
      (select string_agg(r.rolname, ',' order by r.rolname) from pg_roles r where r.oid = any (polroles)), pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    from pg_policy`,
  defaultPrivilege: `select format('%s in %s on %s: %s', pg_get_userbyid(defaclrole), coalesce(n.nspname, '-'), defaclobjtype, defaclacl::text)
    from pg_default_acl left join pg_namespace n on n.oid = defaclnamespace`,
  extension: `select format('%s %s in %s owner=%s', extname, extversion, n.nspname, pg_get_userbyid(extowner)) from pg_extension join pg_namespace n on n.oid = extnamespace`,
  type: `select format('%s.%s %s owner=%s acl=%s', n.nspname, t.typname, t.typtype, pg_get_userbyid(t.typowner), t.typacl::text)
    from pg_type t join pg_namespace n on n.oid = t.typnamespace where n.nspname !~ '^(pg_|information_schema)'`,
  role: `select format('%s login=%s super=%s createdb=%s createrole=%s bypassrls=%s inherit=%s limit=%s settings=%s comment=%s', rolname, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls,
      rolinherit, rolconnlimit, (select setconfig::text from pg_db_role_setting where setrole = r.oid and setdatabase = 0), shobj_description(oid, 'pg_authid'))
    from pg_roles r where rolname !~ '^pg_'`,
  membership: `select format('%s in %s', pg_get_userbyid(member), pg_get_userbyid(roleid)) from pg_auth_members`,
};

/** The rows that migrations write into schema nightshift; the history of runs is left out, it grows by every run. */
const NIGHTSHIFT_ROWS: Readonly<Record<string, string>> = {
  policyRow: `select format('%s %s.%s', name, schema_name, table_name) from nightshift.retention_policy`,
  classificationRow: `select format('%s.%s.%s', schema_name, table_name, column_name) from nightshift.data_classification`,
};

/** All lines of the snapshot, sorted, each with its kind in front. */
export async function catalogSnapshot(client: Client): Promise<string[]> {
  const { rows: present } = await client.query<{ there: boolean }>(
    "select to_regclass('nightshift.retention_policy') is not null as there",
  );
  const queries = { ...QUERIES, ...(present[0]?.there === true ? NIGHTSHIFT_ROWS : {}) };
  const lines: string[] = [];
  for (const [kind, sql] of Object.entries(queries)) {
    const { rows } = await client.query<string[]>({ text: sql, rowMode: 'array' });
    lines.push(...rows.map(([line]) => `${kind} ${line ?? ''}`));
  }
  return lines.toSorted();
}
