// Makes the certificate of a series of purge runs from what is recorded of them. Pure: equal facts give equal bytes.
// Only what is named here gets in: an error, a warning or the reason of a legal hold could speak of a person.
import * as z from 'zod';
import { JobFailure } from '../../shared/job-failure.ts';
import { TOOL_VERSION } from '../../shared/tool-version.ts';
import { canonicalJson, type Json, sha256Of } from './canonical-json.ts';
import {
  bodyHash,
  CERTIFICATE_VERSION,
  type Certificate,
  type CertificateBody,
  certificateSchema,
  type SkippedKind,
} from './certificate.ts';
import { type KeptSettings, stillHeldBy } from './kept-until.ts';

export interface CertificateFacts {
  readonly database: string;
  readonly server: CertificateBody['server'];
  readonly seriesId: string;
  /**
   * What was carried out: a policy, as `to_jsonb` of its row in a session with TimeZone UTC, with the cutoff of the series;
   * or an erasure. An erasure names the request, not the person: its key is not asked for.
   */
  readonly work: PolicyWork | ErasureWork;
  /** All runs of the series; each has ended. */
  readonly runs: readonly RunFacts[];
  readonly rows: CertificateBody['rows'];
  readonly children: readonly { readonly table: string; readonly deleted: number; readonly changed: number }[];
  readonly partitions: readonly PartitionFacts[];
  /** Null when nothing was archived; an archive without its manifest is none. */
  readonly archive: Omit<NonNullable<CertificateBody['archive']>, 'keptUntil'> | null;
  readonly databaseRole: string;
  readonly kept: KeptSettings;
  readonly previousCertificate: CertificateBody['previousCertificate'];
}

export interface PolicyWork {
  readonly policyRow: { readonly [column: string]: Json };
  readonly cutoff: Date;
}

export interface ErasureWork {
  readonly subject: { readonly table: string; readonly reference: string };
}

export interface RunFacts {
  readonly id: string;
  readonly requestId: string;
  readonly requestedBy: string | null;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly state: 'finished' | 'stopped' | 'failed';
}

export interface PartitionFacts {
  readonly table: string;
  /** As pg_get_expr shows it: FOR VALUES FROM (…) TO (…). */
  readonly bounds: string;
  readonly state: 'dropped' | 'detached' | 'kept';
  readonly rows: number | null;
  readonly bytes: number;
}

/** Written here, not by whoever placed a hold: that text may name a person. */
const SKIPPED_REASONS: Readonly<Record<SkippedKind, string>> = {
  held: 'under a legal hold, their own or that of a row which would go with them',
  referenced: 'still referenced by a row of another table',
  other: 'locked by another session at each try, or kept by a trigger',
  undated: 'without a finite timestamp, so never past their retention period',
};

const policyRowSchema = z.object({
  name: z.string(),
  version: z.int(),
  schema_name: z.string(),
  table_name: z.string(),
  timestamp_column: z.string(),
  retention: z.string(),
  predicate: z.string().nullable(),
  action: z.enum(['delete', 'anonymise', 'drop_partition']),
  reason: z.string(),
  anonymise: z.record(z.string(), z.string()).nullable().default(null),
});

/** An instant, a date or an end of time: what the bounds of a partition by a timestamp are made of. */
const BOUND = String.raw`\((?:MINVALUE|MAXVALUE|'(?:-?infinity|[\d :.+-]+(?: BC)?)')\)`;
const BOUNDS_OF_INSTANTS = new RegExp(`^(?:DEFAULT|FOR VALUES FROM ${BOUND} TO ${BOUND})$`);

/** Throws `purge.certificate_wrong` for facts that make no certificate, as a series without a run. Counts must be whole. */
export function buildCertificate(facts: CertificateFacts): Certificate {
  const work = describeWork(facts.work);
  const { startedAt, finishedAt } = spanOf(facts.runs);
  const held = stillHeldBy(finishedAt, facts.kept, { action: work.action, hasArchive: facts.archive !== null });
  const { done, left, held: heldRows, referenced, other, undated } = facts.rows;
  const { systemIdentifier, version } = facts.server;
  const body: CertificateBody = {
    certificateVersion: CERTIFICATE_VERSION,
    database: facts.database,
    server: { systemIdentifier, version },
    seriesId: facts.seriesId,
    ...work,
    outcome: left === 0 ? 'complete' : left <= heldRows + referenced ? 'kept back' : 'incomplete',
    rows: { done, left, held: heldRows, referenced, other, undated },
    children: facts.children.map(({ table, deleted, changed }) => ({ table, deleted, changed })),
    skipped: skippedOf(facts.rows),
    partitions: facts.partitions.map(({ table, bounds, state, rows, bytes }) => ({
      table,
      bounds: BOUNDS_OF_INSTANTS.test(bounds) ? bounds : null,
      state,
      rows,
      bytes,
    })),
    archive: facts.archive && {
      objects: facts.archive.objects,
      rows: facts.archive.rows,
      bytes: facts.archive.bytes,
      manifestKey: facts.archive.manifestKey,
      manifestSha256: facts.archive.manifestSha256,
      keptUntil: held.archiveUntil,
    },
    stillHeldBy: held,
    runs: facts.runs.map((run) => ({
      id: run.id,
      requestId: run.requestId,
      requestedBy: run.requestedBy,
      startedAt: run.startedAt.toISOString(),
      finishedAt: run.finishedAt.toISOString(),
      state: run.state,
    })),
    databaseRole: facts.databaseRole,
    toolVersion: TOOL_VERSION,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    previousCertificate: facts.previousCertificate && {
      key: facts.previousCertificate.key,
      sha256: facts.previousCertificate.sha256,
    },
  };
  const parsed = certificateSchema.safeParse({ ...body, bodySha256: bodyHash(body) });
  if (!parsed.success) throw notMade(parsed.error.issues);
  return parsed.data;
}

type Work = Pick<CertificateBody, 'action' | 'table' | 'policy' | 'subject' | 'cutoff'>;

function describeWork(work: PolicyWork | ErasureWork): Work {
  if ('subject' in work) {
    const { table, reference } = work.subject;
    return { action: 'erase', table, policy: null, subject: { table, reference }, cutoff: null };
  }
  const parsed = policyRowSchema.safeParse(work.policyRow);
  if (!parsed.success) throw notMade(parsed.error.issues);
  const row = parsed.data;
  return {
    action: row.action,
    table: `${row.schema_name}.${row.table_name}`,
    policy: {
      name: row.name,
      version: row.version,
      sha256: sha256Of(canonicalJson(work.policyRow)),
      timestampColumn: row.timestamp_column,
      retention: row.retention,
      predicate: row.predicate,
      reason: row.reason,
      anonymisedColumns: row.anonymise && Object.keys(row.anonymise).toSorted(),
    },
    subject: null,
    cutoff: work.cutoff.toISOString(),
  };
}

function skippedOf({ held, referenced, other, undated }: CertificateBody['rows']): CertificateBody['skipped'] {
  const counts: readonly [SkippedKind, number][] = [
    ['held', held],
    ['referenced', referenced],
    ['other', other],
    ['undated', undated ?? 0],
  ];
  return counts.flatMap(([kind, rows]) => (rows === 0 ? [] : [{ kind, rows, reason: SKIPPED_REASONS[kind] }]));
}

function spanOf(runs: readonly RunFacts[]): { startedAt: Date; finishedAt: Date } {
  if (runs.length === 0) throw notMade([{ path: ['runs'], message: 'there is none' }]);
  return {
    startedAt: new Date(Math.min(...runs.map((run) => run.startedAt.getTime()))),
    finishedAt: new Date(Math.max(...runs.map((run) => run.finishedAt.getTime()))),
  };
}

/** Which facts, never their values: a value that does not fit could be anything. */
function notMade(issues: readonly { path: PropertyKey[]; message: string }[]): JobFailure {
  const problems = issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
  return new JobFailure({
    code: 'purge.certificate_wrong',
    problem: `the certificate cannot be made: ${problems.join('; ')}`,
    safeState: 'What the purge has done is committed and recorded in nightshift.purge_run; no certificate was stored',
    hint: 'start purge once more, which tries again; if it stays so, report a defect',
  });
}
