// The questions that tell whether a row of a partition is held: by its own primary key, or by a way over foreign keys or classified
// columns to a person. Pure.
import { quoteIdentifier, quoteQualified } from '../../shared/quote-identifier.ts';

export interface HoldRow {
  hold_id: string;
  key_value: string | null;
  is_subject: boolean;
  table_oid: number;
  table_name: string;
  is_own: boolean;
}

export interface KeyLink {
  from_oid: number;
  to_oid: number;
  from_columns: string[];
  to_columns: string[];
}

export interface TableOfPaths {
  table_oid: number;
  schema_name: string;
  table_name: string;
  /** Of the primary key, in its order; the type as SQL. */
  key_columns: { name: string; type: string }[];
  /** Columns that hold the primary key of a person. */
  classified: { name: string; subjectOid: number }[];
}

export interface HeldProbe {
  /** One row `is_held`; $1 = keys as text. */
  readonly sql: string;
  readonly keys: readonly string[];
  readonly holdIds: readonly string[];
}

interface ProbeFacts {
  tableOid: number;
  parentOid: number;
  holds: readonly HoldRow[];
  links: readonly KeyLink[];
  tables: readonly TableOfPaths[];
}

/** More ways than this, or longer ones, are not followed: then it cannot be told. */
const MOST_PATHS = 200;
const LONGEST_PATH = 8;

/** All questions; `untold` when there is one that cannot be asked. */
export function probesOf(facts: ProbeFacts): { probes: HeldProbe[]; untold?: string } {
  const tables = new Map(facts.tables.map((table) => [table.table_oid, table]));
  const paths = pathsFrom(facts);
  if (paths === undefined) {
    return {
      probes: [],
      untold: 'it leads to other tables by too many or too long ways: whether to a held person cannot be told',
    };
  }
  const probes: HeldProbe[] = [];
  for (const holds of groupByTable(facts.holds)) {
    const [{ table_oid: heldOid, table_name, is_own, is_subject }] = holds;
    const keyColumns = tables.get(heldOid)?.key_columns ?? [];
    const about = { keys: holds.map(({ key_value }) => key_value ?? ''), holdIds: holds.map(({ hold_id }) => hold_id) };
    const add = (path: Path, condition: string) =>
      probes.push({ ...about, sql: probeSql(facts.tableOid, tables, path, condition) });
    if (keyColumns.length === 0) {
      const isReached = is_own || paths.some((path) => endOf(path, facts.tableOid) === heldOid);
      if (!isReached) continue;
      return {
        probes: [],
        untold: `legal hold ${about.holdIds.join(', ')} names a row of ${table_name}, which has no primary key`,
      };
    }
    const wrong = holds.find(({ key_value }) => !isKeyOf(key_value ?? '', keyColumns.length));
    if (wrong !== undefined) {
      const needed = `a JSON array of ${keyColumns.length} texts`;
      return {
        probes: [],
        untold: `legal hold ${wrong.hold_id} names a row of ${table_name} by a key that is not ${needed}`,
      };
    }
    // The columns of a partition have the names of its parent's.
    if (is_own) add([], keyCondition('t0', keyColumns));
    if (!is_subject) continue;
    for (const path of paths) {
      const end = endOf(path, facts.tableOid);
      const alias = `t${path.length}`;
      if (path.length > 0 && end === heldOid) add(path, keyCondition(alias, keyColumns));
      const own = path.length === 0 ? [facts.tableOid, facts.parentOid] : [end];
      const columns = new Set(
        own
          .flatMap((oid) => tables.get(oid)?.classified ?? [])
          .filter(({ subjectOid }) => subjectOid === heldOid)
          .map(({ name }) => name),
      );
      for (const column of columns) add(path, `${alias}.${quoteIdentifier(column)}::text = ${keyAsText(keyColumns)}`);
    }
  }
  return { probes };
}

type Path = readonly KeyLink[];

/** Every way that passes no table twice, the empty one included; undefined when there are too many. */
function pathsFrom({ tableOid, links }: ProbeFacts): Path[] | undefined {
  const all: Path[] = [[]];
  // A key of a table inside of the partition begins there.
  const inside = new Set(
    links.map(({ from_oid }) => from_oid).filter((oid) => !links.some(({ to_oid }) => to_oid === oid)),
  );
  for (let next = 0; next < all.length; next += 1) {
    const path = all[next] ?? [];
    const passed = new Set([tableOid, ...path.flatMap(({ from_oid, to_oid }) => [from_oid, to_oid])]);
    const from = path.at(-1)?.to_oid;
    for (const link of links) {
      const isNext =
        from === undefined ? link.from_oid === tableOid || inside.has(link.from_oid) : link.from_oid === from;
      if (!isNext || passed.has(link.to_oid)) continue;
      if (path.length >= LONGEST_PATH || all.length >= MOST_PATHS) return undefined;
      all.push([...path, link]);
    }
  }
  return all;
}

function endOf(path: Path, tableOid: number): number {
  return path.at(-1)?.to_oid ?? tableOid;
}

function groupByTable(holds: readonly HoldRow[]): [HoldRow, ...HoldRow[]][] {
  const groups = new Map<string, [HoldRow, ...HoldRow[]]>();
  for (const hold of holds) {
    const key = `${hold.table_oid} ${hold.is_subject}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [hold]);
    else group.push(hold);
  }
  return [...groups.values()];
}

/** A key of several columns is a JSON array of texts; anything else would fit no row, and so hold nothing. */
function isKeyOf(key: string, columns: number): boolean {
  if (columns === 1) return true;
  try {
    const parts: unknown = JSON.parse(key);
    return Array.isArray(parts) && parts.length === columns && parts.every((part) => typeof part === 'string');
  } catch {
    return false;
  }
}

function keyCondition(alias: string, columns: TableOfPaths['key_columns']): string {
  const [only] = columns;
  // The type's name comes from format_type of the catalog, which quotes it.
  if (columns.length === 1 && only) return `${alias}.${quoteIdentifier(only.name)} = held.key::${only.type}`;
  return columns
    .map(({ name, type }, position) => `${alias}.${quoteIdentifier(name)} = (held.key::jsonb ->> ${position})::${type}`)
    .join(' and ');
}

/** As the server writes it: a column that holds it may be of another type. */
function keyAsText([only, ...more]: TableOfPaths['key_columns']): string {
  return only === undefined || more.length > 0 ? 'held.key' : `(held.key::${only.type})::text`;
}

function probeSql(tableOid: number, tables: ReadonlyMap<number, TableOfPaths>, path: Path, condition: string): string {
  const nameOf = (oid: number) => {
    const table = tables.get(oid);
    if (table === undefined) throw new RangeError(`table ${oid} of a foreign key is not in the catalog`);
    return quoteQualified(table.schema_name, table.table_name);
  };
  const joins = path.map(({ to_oid, from_columns, to_columns }, position) => {
    const pairs = from_columns.map(
      (column, pair) =>
        `t${position}.${quoteIdentifier(column)} = t${position + 1}.${quoteIdentifier(to_columns[pair] ?? '')}`,
    );
    return `join ${nameOf(to_oid)} as t${position + 1} on ${pairs.join(' and ')}`;
  });
  return [
    'select exists (select',
    `from ${nameOf(path[0]?.from_oid ?? tableOid)} as t0`,
    ...joins,
    `join unnest($1::text[]) as held (key) on ${condition}) as is_held`,
  ].join(' ');
}
