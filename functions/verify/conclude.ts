// Ends a verification: stores the evidence, good or bad, and fails for a damaged backup.
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { type Verification, verificationSchema, verifiedState } from '../shared/verification.ts';
import { readManifest } from './choose-backup.ts';
import type { VerifyResult } from './contract.ts';
import type { VerifyJob } from './run-verify.ts';
import { storeOnce } from './stored-work.ts';

interface Conclusion {
  manifest: BackupManifest;
  found: Verification;
  /** About this backup, before this verification. */
  earlier: readonly Verification[];
}

/** The answer; throws `verify.damaged` with the first findings, after the evidence is stored. */
export async function conclude(job: VerifyJob, { manifest, found, earlier }: Conclusion): Promise<VerifyResult> {
  const { store, settings, log } = job;
  const database = settings.DATABASE_NAME;
  const key = backupKeys(database, manifest.backupId).verified(found.runId);
  // Expire deletes the manifest first: what is missing from a backup that is being deleted is no damage.
  if (found.outcome === 'damaged') await readManifest(store, database, manifest.backupId);
  const isDryRun = job.event.dryRun === true;
  const evidence = isDryRun ? found : await storeOnce(store, key, verificationSchema, found);
  const stored = isDryRun ? 'no evidence was stored, because this was a dry run' : `the evidence is in "${key}"`;
  for (const finding of evidence.findings)
    log.error('verify.damage_found', { backup_id: manifest.backupId, ...finding });
  if (evidence.outcome === 'damaged') throw damaged(evidence, stored);
  return {
    outcome: evidence.outcome,
    state: verifiedState(manifest, [...earlier.filter(({ runId }) => runId !== evidence.runId), evidence]),
    backupId: manifest.backupId,
    verificationId: evidence.runId,
    takenAt: manifest.takenAt,
    sample: evidence.sample,
    objects: evidence.read.objects,
    bytes: evidence.read.bytes,
    tables: evidence.tables.length,
    rows: evidence.read.rows,
    evidence: isDryRun ? null : key,
  };
}

function damaged({ backupId, findings, findingCount }: Verification, stored: string): JobFailure {
  const shown = findings.slice(0, 5).map(({ object, problem }) => `${object}: ${problem}`);
  return new JobFailure({
    code: 'verify.damaged',
    problem: `backup ${backupId} is not what its manifest says; ${findingCount} finding${findingCount === 1 ? '' : 's'}: ${shown.join('; ')}`,
    safeState: `The backup was not changed; ${stored}`,
    hint: 'do not rely on this backup: make a new one now, verify it, and keep this one for the investigation',
  });
}
