// Sequences that run out: of their own range, or of the range of the column they feed.
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { type CheckDefinition, type CheckRow, gradeValue } from '../check-definition.ts';

export interface SequenceRow extends CheckRow {
  schema_name: string;
  sequence_name: string;
  column_name: string | null;
  column_type: string | null;
  last_value: string | null;
  last_usable: string;
}

export const sequences: CheckDefinition<SequenceRow> = {
  id: 'sequences',
  tier: 'daily',
  unit: 'percent',
  sql: [{ sinceMajor: 14, file: 'sequences.sql' }],
  thresholds: {
    warning: 70,
    critical: 85,
    source: 'pgMonitor warns at 75 %, check_postgres at 85 %; a change of type takes weeks to plan',
  },
  needs: 'nothing',
  judge: (rows, thresholds, server) => {
    const unreadable = rows.filter((row) => row.value === null);
    const [fullest] = rows.filter((row) => row.value !== null).toSorted((a, b) => (b.value ?? 0) - (a.value ?? 0));
    const status = fullest === undefined ? 'ok' : gradeValue(fullest.value, thresholds);
    // A sequence that is nearly full is the worse news; only a clean picture with holes in it is "unknown".
    if (unreadable.length > 0 && status === 'ok') return judgeUnreadable(unreadable, rows.length, server.roleName);
    if (fullest === undefined) return { status: 'ok', value: 0, message: 'there is no sequence', fix: null };
    const feeds =
      fullest.column_name === null
        ? ''
        : `; it feeds column ${fullest.column_name} of type ${fullest.column_type ?? '?'}`;
    const hidden = unreadable.length > 0 ? `; ${unreadable.length} more could not be read` : '';
    return {
      status,
      value: fullest.value,
      message: `sequence "${fullest.schema_name}.${fullest.sequence_name}" is the fullest: at ${fullest.last_value ?? 'its start'} of ${fullest.last_usable}${feeds}${hidden}`,
      fix: status === 'ok' ? null : fixOf(fullest),
    };
  },
};

function judgeUnreadable(unreadable: readonly SequenceRow[], all: number, roleName: string) {
  const schemas = [...new Set(unreadable.map((row) => row.schema_name))];
  const role = quoteIdentifier(roleName);
  const [first] = unreadable;
  return {
    status: 'unknown' as const,
    value: null,
    message: `${unreadable.length} of ${all} sequences may not be read by role "${roleName}", "${first?.schema_name}.${first?.sequence_name}" among them, so nobody knows how full they are`,
    fix: `${schemas.map((name) => `grant select on all sequences in schema ${quoteIdentifier(name)} to ${role};`).join(' ')} -- lock: none; for later ones also: alter default privileges for role <owner> in schema <schema> grant select on sequences to ${role};`,
  };
}

function fixOf(row: SequenceRow): string {
  return row.column_type === 'integer' || row.column_type === 'smallint'
    ? `-- column ${row.column_name} must become bigint: add a bigint column, fill it in batches, swap the names. ALTER COLUMN TYPE does it in one step, but rewrites the table. lock: ACCESS EXCLUSIVE for the whole rewrite`
    : '-- the sequence itself is at its end: alter sequence … maxvalue …; lock: SHARE ROW EXCLUSIVE on the sequence';
}
