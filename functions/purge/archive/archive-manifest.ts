// The manifest of an archive: the contract between purge, which writes it, and whoever checks or loads what was removed.
import * as z from 'zod';
import { describeIssues } from '../../shared/describe-issues.ts';
import { JobFailure } from '../../shared/job-failure.ts';

export const ARCHIVE_MANIFEST_VERSION = 1;

const positive = z.int().min(1);

const archivedObject = z.strictObject({
  key: z.string(),
  rows: positive,
  bytes: positive,
  /** Of the stored bytes. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** One entry for a table, and one more for each change of its columns while the series went on. */
const archivedTable = z.strictObject({
  schema: z.string(),
  name: z.string(),
  /** Of the COPY text, in its order. */
  columns: z.array(z.string()).min(1),
  /** Not in the text: the server makes them again from the others. */
  generated: z.array(z.string()),
  /** In the order in which their rows were removed. */
  objects: z.array(archivedObject).min(1),
});

const totals = z.strictObject({ objects: positive, rows: positive, bytes: positive });

export const archiveManifestSchema = z
  .strictObject({
    archiveManifestVersion: z.literal(ARCHIVE_MANIFEST_VERSION),
    database: z.string(),
    policy: z.string(),
    series: z.string().regex(/^\d+$/),
    /** Of every object: gzip members of COPY text in UTF-8. */
    format: z.literal('copy-text-gzip'),
    tables: z.array(archivedTable).min(1),
    totals,
  })
  .refine(({ tables, totals: told }) => JSON.stringify(totalsOf(tables)) === JSON.stringify(told), {
    message: 'must be the sums of the objects',
    path: ['totals'],
  });

export type ArchiveManifest = z.output<typeof archiveManifestSchema>;
export type ArchivedTable = z.output<typeof archivedTable>;

/** How many objects, rows and stored bytes the tables have together. */
export function totalsOf(tables: readonly ArchivedTable[]): z.output<typeof totals> {
  const objects = tables.flatMap((table) => table.objects);
  const sum = (of: 'rows' | 'bytes') => objects.reduce((all, object) => all + object[of], 0);
  return { objects: objects.length, rows: sum('rows'), bytes: sum('bytes') };
}

/** A manifest from its text; throws `manifest.wrong` for anything else than the known version, whole. */
export function parseArchiveManifest(key: string, text: string): ArchiveManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong(key, 'it is not JSON', error);
  }
  const parsed = archiveManifestSchema.safeParse(json);
  if (!parsed.success) throw wrong(key, describeIssues(parsed.error, json).join('; '), parsed.error);
  return parsed.data;
}

function wrong(key: string, problem: string, cause: unknown): JobFailure {
  return new JobFailure({
    code: 'manifest.wrong',
    problem: `manifest "${key}" of archived rows cannot be used: ${problem}`,
    safeState: 'The archive was neither read nor changed',
    hint: 'deploy the version of Nightshift that wrote it, or look at the object in S3',
    cause,
  });
}
