// The manifest: the contract between backup (writes it last) and everything that reads backups.
import * as z from 'zod';
import { backupIdOf, backupKeys, databasePrefix } from './backup-layout.ts';
import { describeIssues } from './describe-issues.ts';
import { JobFailure } from './job-failure.ts';
import type { ObjectStore } from './object-store.ts';

export const MANIFEST_VERSION = 1;

const count = z.int().min(0);
const instant = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** An object of a backup; `sha256` is of the stored bytes. */
export const storedObjectSchema = z.strictObject({
  key: z.string(),
  bytes: count,
  etag: z.string(),
  sha256: sha256.nullable(),
});

/** `lastValue` is a bigint, which a number could not hold. */
export const sequenceValueSchema = z.strictObject({
  schema: z.string(),
  name: z.string(),
  lastValue: z.string(),
  isCalled: z.boolean(),
});

/** One range of a table: whole gzip members or zstd frames, `length` bytes from `offset` of the table's object. */
export const copiedRangeShape = {
  /** Heap blocks from (inclusive) to (exclusive); null is the end of the table. */
  blocks: z.tuple([count, count.nullable()]),
  rows: count,
  /** Bytes of COPY text, without the closing mark of the file. */
  bytes: count,
  /** CRC-32 of the COPY text, 8 hex digits. */
  crc32: z.string().regex(/^[0-9a-f]{8}$/),
  /** SHA-256 of the stored bytes. */
  sha256,
  length: count,
};

const range = z.strictObject({ ...copiedRangeShape, offset: count });

const table = z.strictObject({
  schema: z.string(),
  name: z.string(),
  /** Number of the archive entry. */
  dumpId: count,
  key: z.string(),
  rows: count,
  /** Bytes of COPY text. */
  bytes: count,
  /** In the order of the blocks and of the object; they fill it but for the tail member that closes the file. */
  ranges: z.array(range).min(1),
});

export const backupManifestSchema = z.strictObject({
  manifestVersion: z.literal(MANIFEST_VERSION),
  database: z.string(),
  backupId: z.string(),
  trigger: z.enum(['schedule', 'manual']),
  scheduledTime: instant,
  /** The instant of the snapshot, UTC; everything that orders backups orders by it. */
  takenAt: instant,
  finishedAt: instant,
  engine: z.strictObject({ version: z.string(), aurora: z.boolean() }),
  serverId: z.string(),
  toolVersion: z.string(),
  clientVersion: z.string(),
  format: z.literal('directory'),
  codec: z.enum(['gzip', 'zstd']),
  archiveVersion: z.string(),
  snapshot: z.string(),
  encoding: z.string(),
  tables: z.array(table),
  /** `bytes` and `sha256` are of the content: SHA-256 over `<oid> <bytes> <sha256 of the content>\n`, in order of OID. */
  largeObjects: z.strictObject({ count, bytes: count, sha256 }),
  sequences: z.array(sequenceValueSchema),
  /** What a filter left out. */
  excluded: z.array(z.string()),
  /** Tables read with row_security on, because a policy lets the backup role see every row. */
  readByPolicy: z.array(z.string()),
  /** What a role without superuser cannot see, and which is therefore not in the archive. */
  notSeen: z.array(z.string()),
  extensions: z.array(z.strictObject({ name: z.string(), version: z.string() })),
  /** Roles that own something, have a grant or are named in a policy. */
  roles: z.array(z.string()),
  /** Every object of the backup but the manifest; `sha256` of the stored bytes, null where the ranges of a table tell it. */
  objects: z.array(storedObjectSchema),
});

export type BackupManifest = z.output<typeof backupManifestSchema>;

/** A manifest from its text; throws `manifest.wrong` for anything else than the known version, whole. */
export function parseManifest(key: string, manifestText: string): BackupManifest {
  let json: unknown;
  try {
    json = JSON.parse(manifestText);
  } catch (error) {
    throw wrong(key, 'it is not JSON', error);
  }
  const version = typeof json === 'object' && json !== null ? Reflect.get(json, 'manifestVersion') : undefined;
  if (version !== MANIFEST_VERSION) {
    throw wrong(
      key,
      `its manifestVersion is ${JSON.stringify(version) ?? 'missing'}, this program reads ${MANIFEST_VERSION}`,
    );
  }
  const parsed = backupManifestSchema.safeParse(json);
  if (!parsed.success) throw wrong(key, describeIssues(parsed.error, json).join('; '), parsed.error);
  return parsed.data;
}

function wrong(key: string, problem: string, cause?: unknown): JobFailure {
  return new JobFailure({
    code: 'manifest.wrong',
    problem: `manifest "${key}" cannot be used: ${problem}`,
    safeState: 'The backup was neither read nor changed',
    hint: 'deploy the version of Nightshift that wrote it, or look at the object in S3',
    cause,
  });
}

/** All backups of a database that have a manifest, newest snapshot first. */
export async function readManifests(store: ObjectStore, database: string): Promise<BackupManifest[]> {
  const manifests: BackupManifest[] = [];
  for await (const { key } of store.list(databasePrefix(database))) {
    const backupId = backupIdOf(database, key);
    if (backupId === undefined || key !== backupKeys(database, backupId).manifest) continue;
    const manifestText = await store.getText(key);
    if (manifestText !== undefined) manifests.push(parseManifest(key, manifestText));
  }
  return manifests.toSorted((a, b) => b.takenAt.localeCompare(a.takenAt));
}
