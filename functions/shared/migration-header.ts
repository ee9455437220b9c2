// The header lines of a migration file: `-- nightshift: …` comments that tell migrate and lint what the SQL cannot.
import { JobFailure } from './job-failure.ts';
import type { MigrationComment } from './migration-statements.ts';

export interface AllowedRule {
  readonly rule: string;
  readonly reason: string;
  readonly line: number;
}

export interface BatchHeader {
  /** The column whose values part the rows: unique, not null and indexed. */
  readonly column: string;
  /** Rows per transaction. */
  readonly rows: number;
  /** It is meant for the first statement that begins below this line. */
  readonly line: number;
}

export interface MigrationHeader {
  readonly irreversibleBecause: string | undefined;
  readonly allows: readonly AllowedRule[];
  readonly batches: readonly BatchHeader[];
  /** For every statement of the file; undefined: the setting of the function. */
  readonly statementTimeoutMs: number | undefined;
}

/** A batch is one transaction: below it the records cost more than the rows, above it they are locked for long. */
export const BATCH_ROWS = { from: 1, to: 100_000 };
/** The longest time limit that the server takes is 24 days; a day is more than any window for a change. */
export const LONGEST_TIMEOUT_SECONDS = 86_400;
const KNOWN =
  'known are: irreversible because …, allow <rule> because …, depends on …, statement timeout <n> s (or min), batch by <column> <rows>';

/** The headers among the comments of a file; throws `migrate.files_wrong` for an unknown, doubled or impossible one. */
export function parseHeader(file: string, comments: readonly MigrationComment[]): MigrationHeader {
  const allows: AllowedRule[] = [];
  const batches: BatchHeader[] = [];
  let irreversibleBecause: string | undefined;
  let statementTimeoutMs: number | undefined;
  for (const { text, line } of comments) {
    const said = /^--\s*nightshift:(.*)$/i.exec(text)?.[1]?.trim();
    if (said === undefined) continue;
    const wrong = (hint: string) => headerWrong(`${file}:${line}: the header "nightshift: ${said}"`, hint);
    const irreversible = /^irreversible because (\S.*)$/.exec(said)?.[1];
    const allow = /^allow (\S+) because (\S.*)$/.exec(said);
    const timeout = /^statement timeout (\d{1,9}) ?(s|min)$/.exec(said);
    const batch = /^batch by (\S+) (\d{1,9})$/.exec(said);
    if (irreversible !== undefined) {
      if (irreversibleBecause !== undefined) throw wrong('say it once');
      irreversibleBecause = irreversible;
    } else if (allow) allows.push({ rule: allow[1] ?? '', reason: allow[2] ?? '', line });
    else if (timeout) {
      if (statementTimeoutMs !== undefined) throw wrong('one time limit is for the whole file');
      const seconds = Number(timeout[1]) * (timeout[2] === 'min' ? 60 : 1);
      if (seconds < 1 || seconds > LONGEST_TIMEOUT_SECONDS)
        throw wrong(`it must be 1 s to ${LONGEST_TIMEOUT_SECONDS} s`);
      statementTimeoutMs = seconds * 1_000;
    } else if (batch) {
      const rows = Number(batch[2]);
      if (rows < BATCH_ROWS.from || rows > BATCH_ROWS.to)
        throw wrong(`the rows of a batch must be ${BATCH_ROWS.from} to ${BATCH_ROWS.to}`);
      batches.push({ column: batch[1] ?? '', rows, line });
    } else if (!/^depends on \S/.test(said)) throw wrong(KNOWN);
  }
  return { irreversibleBecause, allows, batches, statementTimeoutMs };
}

function headerWrong(where: string, hint: string): JobFailure {
  return new JobFailure({
    code: 'migrate.files_wrong',
    problem: `${where} is not understood`,
    safeState: 'No migration was run',
    hint,
  });
}
