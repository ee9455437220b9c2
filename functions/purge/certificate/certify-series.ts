// The certificate of a series whose last run has finished: the manifest of its archive first, then the evidence of all of it.

import { purgeKeys } from '../../shared/backup-layout.ts';
import { type JobFailure } from '../../shared/job-failure.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { emptyOrphans } from '../archive/empty-orphans.ts';
import { writeArchiveManifest } from '../archive/write-archive-manifest.ts';
import type { ArchiveResult, PartitionResult } from '../contract.ts';
import type { PurgeContext } from '../purge-context.ts';
import { type RunSubject, readSeries, seriesTotals } from '../state/run-state.ts';
import { buildCertificate, type CertificateFacts, type PartitionFacts } from './build-certificate.ts';
import type { Json } from './canonical-json.ts';
import { findPreviousCertificate } from './find-previous.ts';
import { storeCertificate } from './store-certificate.ts';

export interface Certified {
  /** Undefined when the policy of the series is gone, so that nothing could be certified. */
  readonly certificateKey: string | undefined;
  readonly archive: ArchiveResult | undefined;
  readonly warnings: readonly string[];
  /** The certificate is stored, but without the signature that was asked for. */
  readonly notSigned: JobFailure | undefined;
}

/** May be repeated, also after a crash between any two of its steps; for the holder of the lock of purge. */
export async function certifySeries(
  context: PurgeContext,
  subject: Pick<RunSubject, 'name' | 'schema' | 'table' | 'reference'>,
  series: string,
  partitions: readonly PartitionResult[],
): Promise<Certified> {
  const { session, store, clock, database } = context;
  const warnings: string[] = [];
  const place = { series: { database, policy: subject.name, seriesId: series }, store };
  const archive = await writeArchiveManifest(session, place);
  if (archive.objects > 0) {
    const emptied = await emptyOrphans(session, place);
    if (emptied > 0) warnings.push(`${emptied} objects that a broken try had left in the archive were emptied`);
  }
  const work = await readWork(context, subject, series);
  if (work === undefined) {
    warnings.push(`series ${series} has no certificate: policy "${subject.name}" is gone`);
    return { certificateKey: undefined, archive, warnings, notSigned: undefined };
  }
  const runs = await readSeries(session, series);
  const last = runs.at(-1);
  if (last === undefined) throw new RangeError(`series ${series} has no run`);
  const { rowsDone, children } = seriesTotals(runs);
  const { rows: server } = await session.query<{ system_identifier: string; version: string }>(
    readSqlFile('purge/server.sql'),
  );
  const left = last.rows_left ?? 0;
  const certificate = buildCertificate({
    database,
    server: { systemIdentifier: server[0]?.system_identifier ?? null, version: server[0]?.version ?? '' },
    seriesId: series,
    work,
    runs: runs.map((run) => ({
      id: run.purge_run_id,
      requestId: run.request_id,
      requestedBy: run.requested_by,
      startedAt: run.started_at,
      finishedAt: run.finished_at ?? run.started_at,
      state: run.state === 'running' ? 'failed' : run.state,
    })),
    rows: {
      done: rowsDone,
      left,
      held: last.rows_held,
      referenced: last.rows_referenced,
      other: left - last.rows_held - last.rows_referenced,
      undated: null,
    },
    children,
    partitions: partitions.flatMap(partitionFacts),
    archive: archiveFacts(archive),
    databaseRole: last.database_role,
    kept: context.settings.kept,
    previousCertificate: await findPreviousCertificate(store, { database, policy: subject.name, seriesId: series }),
  });
  const keys = purgeKeys(database, subject.name, series);
  const stored = await storeCertificate({ store, clock, signingKey: context.signingKey }, keys, certificate);
  await session.query(readSqlFile('purge/certificate-stored.sql'), [series, stored.key]);
  const notSigned = stored.signing.state === 'failed' ? stored.signing.failure : undefined;
  return { certificateKey: stored.key, archive, warnings, notSigned };
}

function partitionFacts({ table, bounds, state, rows, bytes }: PartitionResult): PartitionFacts[] {
  return state === 'planned' ? [] : [{ table, bounds, state, rows, bytes }];
}

function archiveFacts({
  objects,
  rows,
  bytes,
  manifestKey,
  manifestSha256,
}: ArchiveResult): CertificateFacts['archive'] {
  if (manifestKey === null || manifestSha256 === null) return null;
  return { objects, rows, bytes, manifestKey, manifestSha256 };
}

async function readWork(
  { session }: PurgeContext,
  { name, schema, table, reference }: Pick<RunSubject, 'name' | 'schema' | 'table' | 'reference'>,
  series: string,
): Promise<CertificateFacts['work'] | undefined> {
  if (reference !== null) return { subject: { table: `${schema}.${table}`, reference } };
  const { rows } = await session.query<{ policy: { [column: string]: Json } }>(readSqlFile('purge/policy-row.sql'), [
    name,
  ]);
  const [row] = rows;
  const cutoff = (await readSeries(session, series)).at(-1)?.cutoff;
  if (row === undefined || cutoff === undefined || cutoff === null) return undefined;
  return { policyRow: row.policy, cutoff: new Date(cutoff) };
}
