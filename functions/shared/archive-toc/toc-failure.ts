// The refusals of a table of contents: one for the bytes that cannot be right, one for the reader of the log.
import { JobFailure } from '../job-failure.ts';

/** What a field says that pg_dump cannot have written; the reader catches it and adds the place. */
export class DamagedField extends Error {
  override readonly name = 'DamagedField';
  /** One action, when there is a better one than to look at pg_dump. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

const LOOK_AT_PG_DUMP =
  'run the job again; when it ends in the same way, run "pg_dump -Fc" of the same version by hand and read its messages';

/** A refusal with `client_tools.failed`; `problem` carries the actual and the allowed value. */
export function tocFailure(problem: string, hint: string = LOOK_AT_PG_DUMP): JobFailure {
  return new JobFailure({
    code: 'client_tools.failed',
    problem,
    safeState: 'Nothing was written from this table of contents',
    hint,
  });
}

/** A number with its thousands parted, for messages. */
export function inFigures(value: number): string {
  return value.toLocaleString('en-US');
}
