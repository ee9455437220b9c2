// The evidence that a verification leaves beside a backup, and what it makes of the backup: written by verify, read by the
// restore drill, the report and whoever has to choose a backup.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { addRowDigests, NO_ROWS } from './archive-data/row-digest.ts';
import { backupKeys } from './backup-layout.ts';
import type { BackupManifest } from './backup-manifest.ts';
import { describeIssues } from './describe-issues.ts';
import { describeError, JobFailure } from './job-failure.ts';
import type { ObjectStore } from './object-store.ts';

const count = z.int().min(0);

/** Sample `number` (from 1) of `of`: the ranges and large objects whose index modulo `of` is `number` - 1. */
export const sampleSchema = z.strictObject({ number: z.int().min(1), of: z.int().min(2) });

export type Sample = z.output<typeof sampleSchema>;

export const findingSchema = z.strictObject({
  /** Key below the prefix of the backup, e.g. `archive/12.dat.gz`. */
  object: z.string(),
  problem: z.string(),
});

export type Finding = z.output<typeof findingSchema>;

const verifiedTable = z.strictObject({
  schema: z.string(),
  name: z.string(),
  /** How many ranges were read: all of the table, or those of the sample. */
  ranges: z.int().min(1),
  rows: count,
  /** Of COPY text. */
  bytes: count,
  /** Row digest (archive-data/row-digest.ts) of these rows. */
  digest: z.string().regex(/^[0-9a-f]{32}$/),
});

export type VerifiedTable = z.output<typeof verifiedTable>;

export const verifiedLargeObjectSchema = z.strictObject({
  oid: count,
  /** Of the content. */
  bytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type VerifiedLargeObject = z.output<typeof verifiedLargeObjectSchema>;

export const verificationSchema = z.strictObject({
  verificationVersion: z.literal(1),
  database: z.string(),
  backupId: z.string(),
  runId: z.string(),
  toolVersion: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  outcome: z.enum(['ok', 'damaged', 'sample ok']),
  /** Null when everything was read. */
  sample: sampleSchema.nullable(),
  /** `bytes` are stored ones. */
  read: z.strictObject({ objects: count, bytes: count, rows: count }),
  /** In the order of the manifest; without the tables of which a range is damaged, or no range is in the sample. */
  tables: z.array(verifiedTable),
  /** Of a sample, in order of OID: only all samples together can be compared with the manifest. */
  largeObjects: z.array(verifiedLargeObjectSchema).nullable(),
  /** The first 100 of them. */
  findings: z.array(findingSchema),
  findingCount: count,
});

export type Verification = z.output<typeof verificationSchema>;

/**
 * What verifications say of a backup: "candidate" is complete by its manifest, "verified" was read back whole, "broken" was
 * found damaged at least once, which no later verification makes good. Together with the drills: backup-state.ts.
 */
export type VerifiedState = 'candidate' | 'verified' | 'broken';

/** All evidence about a backup, oldest first; throws `verify.evidence_wrong` for what cannot be read, never leaves it out. */
export async function readVerifications(
  store: ObjectStore,
  database: string,
  backupId: string,
): Promise<Verification[]> {
  const { verifiedPrefix } = backupKeys(database, backupId);
  const found: Verification[] = [];
  for await (const { key } of store.list(verifiedPrefix)) {
    // Deeper lie the partial results of groups.
    if (key.slice(verifiedPrefix.length).includes('/')) continue;
    const recordText = await store.getText(key);
    if (recordText !== undefined) found.push(parseVerification(key, recordText));
  }
  return found.toSorted((a, b) => a.finishedAt.localeCompare(b.finishedAt));
}

/** One piece of evidence from its text; throws `verify.evidence_wrong`. */
export function parseVerification(key: string, recordText: string): Verification {
  return parseEvidence(verificationSchema, key, recordText);
}

/** JSON of a verification as its schema's type; throws `verify.evidence_wrong`. */
export function parseEvidence<S extends z.ZodType>(schema: S, key: string, recordText: string): z.output<S> {
  let json: unknown;
  try {
    json = JSON.parse(recordText);
  } catch (error) {
    throw wrong(key, `it is not JSON: ${describeError(error)}`);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw wrong(key, describeIssues(parsed.error, json).slice(0, 5).join('; '));
  return parsed.data;
}

/** The state of a backup by all verifications of it; those of other backups are not counted. */
export function verifiedState(manifest: BackupManifest, evidence: readonly Verification[]): VerifiedState {
  const own = evidence.filter(({ backupId }) => backupId === manifest.backupId);
  if (own.some(({ outcome }) => outcome === 'damaged')) return 'broken';
  if (own.some(({ outcome, sample }) => outcome === 'ok' && sample === null)) return 'verified';
  const samples = wholeSetOfSamples(own);
  if (samples === undefined) return 'candidate';
  return largeObjectProblem(manifest, samples) === undefined ? 'verified' : 'broken';
}

/** The row digest of every table of a verified backup, in the order of the manifest; undefined for any other backup. */
export function verifiedTables(
  manifest: BackupManifest,
  evidence: readonly Verification[],
): VerifiedTable[] | undefined {
  if (verifiedState(manifest, evidence) !== 'verified') return undefined;
  const own = evidence.filter(({ backupId }) => backupId === manifest.backupId);
  const whole = own.find(({ outcome }) => outcome === 'ok');
  const parts = whole === undefined ? (wholeSetOfSamples(own) ?? []) : [whole];
  const byName = Map.groupBy(
    parts.flatMap(({ tables }) => tables),
    ({ schema, name }) => JSON.stringify([schema, name]),
  );
  return manifest.tables.map(({ schema, name }) => {
    const some = byName.get(JSON.stringify([schema, name])) ?? [];
    return {
      schema,
      name,
      ranges: sum(some.map(({ ranges }) => ranges)),
      bytes: sum(some.map(({ bytes }) => bytes)),
      ...some.reduce((total, { rows, digest }) => addRowDigests(total, { rows, digest }), NO_ROWS),
    };
  });
}

/** One good verification of each sample of one division into samples, in their order, when there are all of them. */
export function wholeSetOfSamples<V extends Pick<Verification, 'outcome' | 'sample'>>(
  evidence: readonly V[],
): V[] | undefined {
  const good = evidence.filter(({ outcome }) => outcome === 'sample ok');
  for (const of of new Set(good.map(({ sample }) => sample?.of ?? 0))) {
    const set = Array.from({ length: of }, (_, index) =>
      good.find(({ sample }) => sample?.of === of && sample.number === index + 1),
    ).filter((one) => one !== undefined);
    if (of > 1 && set.length === of) return set;
  }
  return undefined;
}

/** What is wrong with all large objects together, which no sample can tell alone; undefined when nothing is. */
export function largeObjectProblem(
  manifest: BackupManifest,
  samples: readonly Pick<Verification, 'largeObjects'>[],
): string | undefined {
  const digest = createLargeObjectDigest();
  const all = samples.flatMap(({ largeObjects }) => largeObjects ?? []);
  for (const one of all.toSorted((a, b) => a.oid - b.oid)) digest.add(one);
  return digest.problem(manifest);
}

/** Adds up large objects, which must come in order of OID, and compares them with the manifest. */
export function createLargeObjectDigest() {
  const hash = createHash('sha256');
  const total = { count: 0, bytes: 0 };
  return {
    add: ({ oid, bytes, sha256 }: VerifiedLargeObject) => {
      hash.update(`${oid} ${bytes} ${sha256}\n`);
      total.count += 1;
      total.bytes += bytes;
    },
    problem: ({ largeObjects }: BackupManifest): string | undefined => {
      const actual = describe({ ...total, sha256: hash.digest('hex') });
      const expected = describe(largeObjects);
      return actual === expected ? undefined : `there are ${actual}; it must be ${expected}`;
    },
  };
}

function describe({ count: objects, bytes, sha256 }: BackupManifest['largeObjects']): string {
  return `${objects} large objects of ${bytes} bytes with SHA-256 ${sha256}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function wrong(key: string, problem: string): JobFailure {
  return new JobFailure({
    code: 'verify.evidence_wrong',
    problem: `the evidence "${key}" cannot be used: ${problem}`,
    safeState: 'Nothing is said about the backup',
    hint: 'deploy the version of Nightshift that wrote it, or look at the object in S3',
  });
}
