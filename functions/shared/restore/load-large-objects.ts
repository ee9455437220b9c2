// Loads the contents of large objects from S3 into the server, many small ones in one statement. The objects themselves, with
// owners and privileges, are made by the SQL of the archive.
import type { Source } from '../archive-data/read-stored.ts';
import { DamagedStored, storedText } from '../archive-data/stored-text.ts';
import type { StoredLargeObject } from '../backup-files.ts';
import type { BackupManifest } from '../backup-manifest.ts';
import type { DatabaseSession } from '../database.ts';
import { readSqlFile } from '../sql-files.ts';
import { ArchiveDamage } from './archive-damage.ts';
import { recordStep } from './restore-records.ts';

export interface LargeObjectsStep {
  name: string;
  objects: readonly StoredLargeObject[];
}

/** Objects that are fetched at the same time: a small one is only the wait for S3. */
const FETCHED_AT_ONCE = 8;
/** Contents up to this size go together; what is larger goes in pieces of it. */
const PUT_BYTES = 1_048_576;
/** In one step: what is lost when it is broken off. */
const STEP_OBJECTS = 500;
const STEP_BYTES = 64 * 1_048_576;

/** Divides the objects into steps that each take seconds. */
export function largeObjectSteps(objects: readonly StoredLargeObject[]): LargeObjectsStep[] {
  const groups: StoredLargeObject[][] = [];
  let bytes = STEP_BYTES;
  for (const one of objects) {
    const group = groups.at(-1);
    if (group !== undefined && group.length < STEP_OBJECTS && bytes + one.object.bytes <= STEP_BYTES) group.push(one);
    else {
      groups.push([one]);
      bytes = 0;
    }
    bytes += one.object.bytes;
  }
  return groups.map((group) => ({ name: `large objects from ${group[0]?.oid}`, objects: group }));
}

/** Loads the step; throws ArchiveDamage, and then nothing of it is committed. */
export async function loadLargeObjects(
  session: DatabaseSession,
  step: LargeObjectsStep,
  { source, manifest }: { source: Source; manifest: BackupManifest },
): Promise<void> {
  await session.query('begin');
  if (!(await recordStep(session, step.name))) {
    await session.query('rollback');
    return;
  }
  const small: { oid: number; content: Buffer }[] = [];
  let smallBytes = 0;
  const flush = async () => {
    if (small.length === 0) return;
    await session.query(readSqlFile('restore/put-large-objects.sql'), [
      small.map(({ oid }) => oid),
      small.map(({ content }) => content),
    ]);
    small.length = 0;
    smallBytes = 0;
  };
  for await (const { oid, begun, rest } of readAhead(step.objects, source, manifest)) {
    if (rest === undefined) {
      if (smallBytes + begun.length > PUT_BYTES) await flush();
      small.push({ oid, content: begun });
      smallBytes += begun.length;
      continue;
    }
    let at = 0;
    for await (const piece of inPieces(begun, rest)) {
      await session.query('select pg_catalog.lo_put($1::oid, $2::bigint, $3::bytea)', [oid, at, piece]);
      at += piece.length;
    }
  }
  await flush();
  await session.query('commit');
}

interface ReadObject {
  oid: number;
  /** All of a small object, or its beginning. */
  begun: Buffer;
  /** What follows; undefined when nothing does. */
  rest: AsyncGenerator<Buffer> | undefined;
}

/** The objects in order, the next ones being fetched meanwhile, each up to one piece. */
async function* readAhead(
  objects: readonly StoredLargeObject[],
  source: Source,
  manifest: BackupManifest,
): AsyncGenerator<ReadObject> {
  const coming: { text: AsyncGenerator<Buffer>; read: Promise<ReadObject> }[] = [];
  const start = (one: StoredLargeObject | undefined) => {
    if (one === undefined) return;
    const text = checkedContent(one, source, manifest);
    const read = readBeginning(one.oid, text);
    // Whoever comes to it reports it.
    read.catch(() => {});
    coming.push({ text, read });
  };
  const waiting = objects.values();
  try {
    for (let n = 0; n < FETCHED_AT_ONCE; n += 1) start(waiting.next().value);
    for (let next = coming[0]; next !== undefined; next = coming[0]) {
      yield await next.read;
      coming.shift();
      start(waiting.next().value);
    }
  } finally {
    await Promise.all(
      coming.map(async ({ text, read }) => {
        await read.catch(() => {});
        await text.return(undefined);
      }),
    );
  }
}

async function* checkedContent(
  { oid, object }: StoredLargeObject,
  source: Source,
  manifest: BackupManifest,
): AsyncGenerator<Buffer> {
  const members = [{ offset: 0, length: object.bytes, sha256: object.sha256 ?? '' }];
  try {
    yield* storedText({ source, codec: manifest.codec, key: object.key, members });
  } catch (error) {
    if (!(error instanceof DamagedStored)) throw error;
    const { expected, actual } = error;
    throw new ArchiveDamage(manifest.backupId, [{ what: `large object ${oid} in "${object.key}"`, expected, actual }]);
  }
}

async function readBeginning(oid: number, text: AsyncGenerator<Buffer>): Promise<ReadObject> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  while (bytes <= PUT_BYTES) {
    const { done, value } = await text.next();
    if (done) return { oid, begun: Buffer.concat(pieces), rest: undefined };
    pieces.push(value);
    bytes += value.length;
  }
  return { oid, begun: Buffer.concat(pieces), rest: text };
}

/** Pieces of about PUT_BYTES: each costs a round trip. */
async function* inPieces(begun: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let pieces = [begun];
  let bytes = begun.length;
  for await (const piece of rest) {
    if (bytes >= PUT_BYTES) {
      yield Buffer.concat(pieces);
      pieces = [];
      bytes = 0;
    }
    pieces.push(piece);
    bytes += piece.length;
  }
  if (bytes > 0) yield Buffer.concat(pieces);
}
