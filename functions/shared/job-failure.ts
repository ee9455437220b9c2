// The one error class of the product: every refusal or failure that a person may read at 3 a.m. is one of these.

/** Stable failure codes with their meaning; the runbook lists each of them (tested). */
export const failureCodes = {
  'settings.wrong': 'one or more settings are missing or out of range',
  'event.wrong': 'the event that started the job does not fit its schema',
  'secret.unreadable': 'the database secret could not be read from Secrets Manager',
  'secret.wrong': 'the secret is not in the RDS JSON form',
  'database.unreachable': 'no connection to the database server',
  'database.tls_refused': 'TLS with the database server could not be set up or its certificate not be proven',
  'database.login_refused': 'the server refused the user or the password, also after the secret was read again',
  'database.not_found': 'the database does not exist on that server',
  'database.too_many_connections': 'the server has no free connection slot for this role',
  'database.session_lost': 'the server ended the session while it was in use',
  'database.statement_failed': 'a statement failed on the server',
  'client_tools.not_found': 'pg_dump or pg_restore of a usable version is not installed',
  'client_tools.failed': 'pg_dump, pg_dumpall or pg_restore ended with an error',
  'object_store.failed': 'S3 refused or did not answer a request',
  'object_store.exists': 'an object that must not be overwritten exists already',
  'job.still_running': 'the previous run of this job has not ended',
  'job.out_of_time': 'the job stopped itself before the time limit of its function',
  'job.locked': 'another session holds the lock that this job needs',
  'backup.attempts_used_up': 'all attempts for this scheduled time have failed',
  'backup.table_rewritten': 'a table was truncated or rewritten between the snapshot and its lock',
  'backup.table_locked': 'a table could not be locked, because somebody waits for or holds a stronger lock',
  'backup.table_too_large': 'the parts of a table would not fit into the memory of the function',
  'backup.codec_refused': 'the codec is not one that this server and its pg_restore know',
  'backup.snapshot_lost': 'the session that holds the snapshot is gone, or holds another one than the plan was made on',
  'backup.holder_not_ended': 'the session that holds the snapshot was told to end and did not',
  'backup.snapshot_unsafe': 'the server may remove rows that the snapshot still sees',
  'backup.part_numbers_used_up': 'a range of a table has more bytes than its reserved part numbers can hold',
  'backup.incomplete': 'something that was planned is missing, twice there or of another size',
  'backup.aborted': 'the backup workflow failed and was undone',
  'backup.unreadable_rows': 'row level security would hide rows from the backup role',
  'manifest.wrong': 'a manifest is damaged or of an unknown version',
  'inventory.wrong': 'the inventory of a backup is damaged or of an unknown version',
  'verify.no_backup': 'there is no backup to verify',
  'verify.damaged': 'a backup is not what its manifest says',
  'verify.incomplete': 'a part of a backup was not read, so nothing can be said about the whole',
  'verify.evidence_wrong': 'what a verification has left is damaged or of an unknown version',
  'restore.no_backup': 'there is no such backup to restore',
  'restore.archive_damaged': 'what S3 holds of an archive is not what its manifest says',
  'restore.selection_wrong': 'a schema or table that was named is not in the backup',
  'restore.target_not_empty': 'the database to restore into holds something already',
  'restore.target_too_old': 'the server to restore into is older than the one the backup came from',
  'restore.locale_missing': 'the server does not know the locale of the database that was backed up',
  'restore.target_busy': 'another restore works on the same target',
  'restore.statement_failed': 'the server refused a statement or the rows of an archive',
  'drill.no_backup': 'there is no backup to restore',
  'drill.target_too_old': 'the server to restore into is older than the one the backup came from',
  'drill.storage_short': 'the server has less free storage than a drill needs',
  'drill.archive_damaged': 'objects of the archive are not what the manifest says',
  'drill.restore_failed': 'a backup did not restore',
  'drill.not_verified': 'a backup that was not read back whole cannot be compared',
  'drill.unproven': 'a drill could not prove its backup, and says nothing about it',
  'drill.no_progress': 'passes of a drill come and go without ending a step',
  'drill.aborted': 'the drill workflow failed and was undone',
  'drill.different': 'the restored database is not equal to what was backed up',
  'drill.assertion_refused': 'an assertion in sql/drill/ is not one query',
  'drill.evidence_wrong': 'what a drill has left is damaged or of an unknown version',
  'drill.scratch_not_dropped': 'the scratch database of a drill could not be dropped',
  'expire.refused': 'the expiry plan breaks a safety rule',
  'purge.refused': 'a retention policy cannot be carried out safely',
  'purge.archive_failed': 'rows could not be archived, or an archive of a purge is not what was recorded',
  'purge.certificate_wrong': 'the certificate of a purge cannot be made, or is damaged or of an unknown version',
  'purge.not_signed': 'the certificate of a purge is stored, but could not be signed',
  'migrate.files_wrong': 'the migration files are incomplete, out of order or not allowed',
  'migrate.changed': 'a migration file changed after it was applied',
  'migrate.plan_moved': 'files, history or schema are no longer what was planned',
  'migrate.schema_unreadable': 'the live schema could not be read, because somebody locks or changes it',
  'migrate.half_done': 'a file is half done, and was asked to go the other way',
  'migrate.loss_not_confirmed': 'a reversal would lose rows or columns, and nobody has said that it may',
  'migrate.not_empty': 'a baseline was asked for, but migrations are recorded already',
  'migrate.statement_failed': 'a statement of a migration failed; its transaction was rolled back',
  'migrate.scratch_failed': 'the scratch database of migrate could not be made, filled or dropped',
  'migrate.rehearsal_failed': 'a pending migration does not run on a copy of the schema',
  'migrate.not_certified': 'a migration is not proven reversible',
  'migrate.drifted': 'the live database is not what the migrations make, or it could not be told',
  'bootstrap.refused': 'the roles or the schema could not be set up',
  'health.unreadable': 'the health of the database could not be read at all',
  'migrate.no_history': 'schema nightshift is missing: bootstrap has not run on this database',
} as const;

export type FailureCode = keyof typeof failureCodes;

interface FailureParts {
  code: FailureCode;
  problem: string;
  safeState: string;
  hint: string;
  excerpt?: string | undefined;
  cause?: unknown;
}

/**
 * A failure with what a reader needs to act: what was wrong, what has or has not been changed, and the next step.
 *
 * `message` starts in lower case with its subject and carries the actual and the allowed value;
 * `safeState` says what was and was not changed; `hint` is one action. None of them may hold a secret or a row value.
 * `excerpt`, the lines of a file that are wrong, comes last in the message and goes to no log.
 */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
  readonly code: FailureCode;
  readonly problem: string;
  readonly safeState: string;
  readonly hint: string;
  readonly excerpt: string | undefined;

  constructor(parts: FailureParts) {
    const { problem, safeState, hint, excerpt, cause } = parts;
    super(`${problem}. ${safeState}. Hint: ${hint}.${excerpt === undefined ? '' : `\n${excerpt}`}`, { cause });
    this.code = parts.code;
    this.problem = parts.problem;
    this.safeState = parts.safeState;
    this.hint = parts.hint;
    this.excerpt = excerpt;
  }
}

/** The first line of any thrown value, for messages and logs; never a stack. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0]);
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? '';
}
