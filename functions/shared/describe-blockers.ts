// Says in words who is in the way: pid, how long its transaction is open, and the shape of its statement. Never a value of it.
import { migrationParser } from './migration-parser.ts';

/** A session that holds a lock, as sql/session/lock-wait.sql gives it; null where pg_stat_activity hides it. */
export interface Blocker {
  processId: number;
  applicationName: string | null;
  state: string | null;
  transactionSeconds: number | null;
  statement: string | null;
}

/** A message is read by people. */
const LONGEST_STATEMENT = 160;

/** `pid 812 ("app", transaction open for 35 s, idle in transaction, last statement: update users set x = $1)`. */
export async function describeBlockers(blockers: readonly Blocker[]): Promise<string> {
  return (await Promise.all(blockers.map(describeBlocker))).join(' and ');
}

async function describeBlocker({
  processId,
  applicationName,
  state,
  transactionSeconds,
  statement,
}: Blocker): Promise<string> {
  const shape = statement === null || statement === '' ? undefined : await shapeOf(statement);
  const facts = [
    applicationName === null ? 'no application_name' : `"${applicationName}"`,
    ...(transactionSeconds === null ? [] : [`transaction open for ${transactionSeconds} s`]),
    ...(state === null ? [] : [state]),
    ...(shape === undefined ? [] : [`${state === 'active' ? 'statement' : 'last statement'}: ${shape}`]),
  ];
  return `pid ${processId} (${facts.join(', ')})`;
}

/** The statement with $1, $2 … in place of its constants; only its first word when the parser does not take it. */
export async function shapeOf(statement: string): Promise<string> {
  const { normalize } = await migrationParser();
  let shape: string;
  try {
    shape = (await normalize(statement)).replaceAll(/\s+/g, ' ').trim();
  } catch {
    // Cut off by track_activity_query_size, or hidden: "<insufficient privilege>".
    return `${/^\s*[a-z]+/i.exec(statement)?.[0].trim() ?? ''} …`.trim();
  }
  return shape.length > LONGEST_STATEMENT ? `${shape.slice(0, LONGEST_STATEMENT - 1)}…` : shape;
}
