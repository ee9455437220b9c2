// purge: removes rows past their retention period; in the bucket it leaves archives, certificates and its run record, and may
// delete nothing. purge-workflow.ts starts it.
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { PURGE_SESSIONS, type PurgeEnvironment } from '../functions/purge/environment.ts';
import { databaseEnvironment } from './database-environment.ts';
import { purgeEnvironment } from './purge-environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** Where it leaves what it has archived, and the evidence of it. */
const OWN = ['purge-archive/*', 'purged/*'] as const;

/** The purge function. */
export function purgeFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, access, config } = parts;
  const settings = config.purge;
  const schedule = config.schedules.purge;
  const environment: PurgeEnvironment = {
    ...databaseEnvironment(parts, 'purge', { ...settings, maxConnections: PURGE_SESSIONS }),
    ...purgeEnvironment(config, parts.paused),
  };
  return new ScheduledFunction(scope, 'Purge', {
    job: 'purge',
    parts,
    settings,
    environment,
    usesDatabase: true,
    // What made a purge fail should be seen before the next one deletes.
    retriesOfFailedEvent: 0,
    schedules: schedule ? [{ name: 'purge', schedule }] : [],
    startedBy: 'workflow',
    statements: [
      store.mayPut('PutArchivesAndEvidence', ...OWN, 'runs/purge/*'),
      // An archive is read back before its rows go, and a later pass goes on with what an earlier one has left.
      store.mayGet('ReadArchivesAndEvidence', ...OWN),
      store.mayList('FindArchivesAndEvidence', ['s3:ListBucket'], ...OWN),
      ...(settings.onlyAfterVerifiedBackupHours === undefined ? [] : mayFindVerifiedBackup(parts)),
      store.mayUseKey('kms:Decrypt', 'kms:GenerateDataKey'),
      ...(settings.signingKeyArn === undefined ? [] : [maySign(settings.signingKeyArn)]),
      ...access.mayRead('purge'),
    ],
  });
}

/** Manifests and evidence, drills too: one that was not ok makes a verified backup a broken one. No archive. */
function mayFindVerifiedBackup({ store }: StackParts): PolicyStatement[] {
  return [
    store.mayGet('ReadBackupEvidence', '*/manifest.json', '*/verified/*', '*/drilled/*'),
    // The first is the folders of the database, one for each backup.
    store.mayList('FindBackupEvidence', ['s3:ListBucket'], '', '*/verified/*', '*/drilled/*'),
  ];
}

/** Of the key it may make signatures and read the public half, which goes beside them. */
function maySign(keyArn: string): PolicyStatement {
  return new PolicyStatement({
    sid: 'SignCertificates',
    actions: ['kms:GetPublicKey', 'kms:Sign'],
    resources: [keyArn],
  });
}
