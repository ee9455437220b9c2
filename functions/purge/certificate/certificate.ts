// The certificate of a purge: what a series of runs has done, under which rule, and what still holds the rows. A contract.
// It holds no personal data: counts, names of tables and texts of policies, never a key, a value or the text of an error.
import * as z from 'zod';
import { describeIssues } from '../../shared/describe-issues.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { canonicalJson, sha256Of } from './canonical-json.ts';

export const CERTIFICATE_VERSION = 1;

const count = z.int().min(0);
const text = z.string();
const instant = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const purgeActions = ['delete', 'anonymise', 'drop_partition', 'erase'] as const;
export type PurgeAction = (typeof purgeActions)[number];

/** An instant, or a word: "none" only where it is known that there is no such copy. */
const heldUntil = z.union([instant, z.enum(['none', 'for ever', 'unknown'])]);
export type HeldUntil = z.output<typeof heldUntil>;

/** "kept back": all that is left is under a legal hold or referenced. "incomplete": something else is left. */
export const outcomes = ['complete', 'kept back', 'incomplete'] as const;

export const skippedKinds = ['held', 'referenced', 'other', 'undated'] as const;
export type SkippedKind = (typeof skippedKinds)[number];

const policy = z.strictObject({
  name: text,
  version: z.int().min(1),
  /** Of the policy's row as canonical JSON (RFC 8785). */
  sha256,
  timestampColumn: text,
  retention: text,
  predicate: text.nullable(),
  reason: text,
  /** Of the action anonymise. */
  anonymisedColumns: z.array(text).nullable(),
});

const body = {
  certificateVersion: z.literal(CERTIFICATE_VERSION),
  database: text,
  /** Its system identifier: the server itself, whatever the name of its host. */
  server: z.strictObject({ systemIdentifier: text.nullable(), version: text }),
  seriesId: z.string().regex(/^\d+$/),
  action: z.enum(purgeActions),
  table: text,
  /** Null for an erasure. */
  policy: policy.nullable(),
  /** Of an erasure: the table whose row stood for the person, and what the request is filed under. Never the key. */
  subject: z.strictObject({ table: text, reference: text }).nullable(),
  cutoff: instant.nullable(),
  outcome: z.enum(outcomes),
  rows: z.strictObject({
    done: count,
    left: count,
    held: count,
    referenced: count,
    other: count,
    /** Null: they were not counted. */
    undated: count.nullable(),
  }),
  children: z.array(z.strictObject({ table: text, deleted: count, changed: count })),
  skipped: z.array(z.strictObject({ kind: z.enum(skippedKinds), rows: count, reason: text })),
  partitions: z.array(
    z.strictObject({
      table: text,
      /** Null when they are not plain instants, and could hold anything. */
      bounds: text.nullable(),
      state: z.enum(['dropped', 'detached', 'kept']),
      rows: count.nullable(),
      bytes: count,
    }),
  ),
  archive: z
    .strictObject({
      objects: count,
      rows: count,
      bytes: count,
      manifestKey: text,
      manifestSha256: sha256,
      keptUntil: heldUntil,
    })
    .nullable(),
  stillHeldBy: z.strictObject({
    backupsUntil: heldUntil,
    pitrUntil: heldUntil,
    archiveUntil: heldUntil,
    statement: text,
  }),
  runs: z
    .array(
      z.strictObject({
        id: text,
        requestId: text,
        /** Null: the schedule. */
        requestedBy: text.nullable(),
        startedAt: instant,
        finishedAt: instant,
        state: z.enum(['finished', 'stopped', 'failed']),
      }),
    )
    .min(1),
  databaseRole: text,
  toolVersion: text,
  startedAt: instant,
  finishedAt: instant,
  /** The one before it of the same policy; `sha256` of its bytes. A certificate that is taken away leaves a gap. */
  previousCertificate: z.strictObject({ key: text, sha256 }).nullable(),
};

const certificateBodySchema = z.strictObject(body);

export const certificateSchema = z
  .strictObject({
    ...body,
    /** Of everything else as canonical JSON (RFC 8785). */
    bodySha256: sha256,
  })
  .refine(({ policy: rule, subject }) => (rule === null) !== (subject === null), {
    message: 'a certificate is either of a policy or of a subject',
    path: ['subject'],
  })
  .refine(
    ({ action, subject, cutoff }) => new Set([action === 'erase', subject !== null, cutoff === null]).size === 1,
    {
      message: 'an erasure has a subject and no cutoff, any other action has a cutoff',
      path: ['cutoff'],
    },
  );

export type CertificateBody = z.output<typeof certificateBodySchema>;
export type Certificate = z.output<typeof certificateSchema>;

/** The hash that a certificate carries of the rest of itself. */
export function bodyHash(certificate: CertificateBody & { bodySha256?: string }): string {
  return sha256Of(canonicalJson({ ...certificate, bodySha256: undefined }));
}

/** The bytes of certificate.json: what is stored, hashed and signed. */
export function certificateText(certificate: Certificate): string {
  return `${JSON.stringify(certificate, null, 2)}\n`;
}

/**
 * A certificate from its text; throws `purge.certificate_wrong` for anything else than the known version, whole.
 *
 * The hash of the body is not looked at: verifyCertificate does.
 */
export function parseCertificate(key: string, certificate: string): Certificate {
  let json: unknown;
  try {
    json = JSON.parse(certificate);
  } catch (error) {
    throw wrong(key, 'it is not JSON', error);
  }
  const version = typeof json === 'object' && json !== null ? Reflect.get(json, 'certificateVersion') : undefined;
  if (version !== CERTIFICATE_VERSION) {
    const found = JSON.stringify(version) ?? 'missing';
    throw wrong(key, `its certificateVersion is ${found}, this program reads ${CERTIFICATE_VERSION}`);
  }
  const parsed = certificateSchema.safeParse(json);
  if (!parsed.success) throw wrong(key, describeIssues(parsed.error, json).join('; '), parsed.error);
  return parsed.data;
}

function wrong(key: string, problem: string, cause?: unknown): JobFailure {
  return new JobFailure({
    code: 'purge.certificate_wrong',
    problem: `certificate "${key}" cannot be used: ${problem}`,
    safeState: 'It was neither read further nor changed',
    hint: 'deploy the version of Nightshift that wrote it, or look at the versions of the object in S3',
    cause,
  });
}
