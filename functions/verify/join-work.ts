// Joins what the groups have read into the evidence, when every item was read exactly once. Keeps no list of large objects
// in memory but that of a sample: there may be millions.
import { addRowDigests, NO_ROWS } from '../shared/archive-data/row-digest.ts';
import { type BackupFiles, backupFiles } from '../shared/backup-files.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { TOOL_VERSION } from '../shared/tool-version.ts';
import {
  createLargeObjectDigest,
  largeObjectProblem,
  type Sample,
  type Verification,
  type VerifiedLargeObject,
  wholeSetOfSamples,
} from '../shared/verification.ts';
import { createFindings } from './findings.ts';
import { type ReadItem, readItems } from './plan-reading.ts';
import type { LargeObjectRead, RangeRead, ReadWork } from './work-contract.ts';

interface JoinRequest {
  manifest: BackupManifest;
  verificationId: string;
  sample: Sample | null;
  finishedAt: Date;
  /** In order of their groups. */
  works: AsyncIterable<ReadWork> | Iterable<ReadWork>;
  /** About this backup, before this verification. */
  earlier: readonly Verification[];
}

/** The evidence; throws `verify.incomplete` when something was not read, or twice. */
export async function joinWork(request: JoinRequest): Promise<Verification> {
  const { manifest, verificationId, sample } = request;
  const files = backupFiles(manifest);
  const items = readItems(manifest, sample, files);
  const findings = createFindings();
  const ranges = createRangeAccount(request, items);
  const largeObjects = createLargeObjectAccount(request, items);
  let structures = 0;
  let bytes = 0;
  let startedAt = request.finishedAt.toISOString();
  for await (const work of request.works) {
    refuseForeign(work, request);
    structures += work.structure ? 1 : 0;
    bytes += work.bytes;
    startedAt = work.startedAt < startedAt ? work.startedAt : startedAt;
    findings.addAll(work);
    work.ranges.forEach(ranges.add);
    work.largeObjects.forEach(largeObjects.add);
  }
  if (structures !== 1) throw incomplete(request, `the structure was checked ${structures} times; it must be once`);
  const tables = ranges.join();
  const { problem, ofSample } = largeObjects.join();
  if (problem !== undefined) findings.add('archive/blobs.toc', `all large objects together: ${problem}`);
  return {
    verificationVersion: 1,
    database: manifest.database,
    backupId: manifest.backupId,
    runId: verificationId,
    toolVersion: TOOL_VERSION,
    startedAt,
    finishedAt: request.finishedAt.toISOString(),
    outcome: findings.count > 0 ? 'damaged' : sample === null ? 'ok' : 'sample ok',
    sample,
    read: {
      objects: countObjects(items, files),
      bytes,
      rows: tables.reduce((sum, { table }) => sum + table.rows, 0),
    },
    tables: tables.filter(({ isSound }) => isSound).map(({ table }) => table),
    largeObjects: sample === null ? null : ofSample,
    findings: [...findings.listed],
    findingCount: findings.count,
  };
}

function refuseForeign(work: ReadWork, request: JoinRequest): void {
  const { manifest, verificationId, sample } = request;
  const isOwn = work.backupId === manifest.backupId && work.verificationId === verificationId;
  if (isOwn && work.sample?.number === sample?.number && work.sample?.of === sample?.of) return;
  throw incomplete(request, `group ${work.group} was read by another verification`);
}

interface JoinedTable {
  table: Verification['tables'][number];
  isSound: boolean;
}

/** Takes every range that was planned once, and joins them to tables; a table without any in the sample is left out. */
function createRangeAccount(request: JoinRequest, items: readonly ReadItem[]) {
  const wanted = new Set(items.flatMap((item) => (item.table ? rangeName(item.tableIndex, item.range) : [])));
  const byTable = new Map<number, RangeRead[]>();
  const add = (range: RangeRead): void => {
    const name = rangeName(range.table, range.range);
    if (!wanted.delete(name)) throw incomplete(request, `${name} was read twice or was not planned`);
    const known = byTable.get(range.table);
    if (known === undefined) byTable.set(range.table, [range]);
    else known.push(range);
  };
  const join = (): JoinedTable[] => {
    const [unread] = wanted;
    if (unread !== undefined) throw incomplete(request, `${wanted.size} ranges were not read, the first is ${unread}`);
    return request.manifest.tables.flatMap(({ schema, name }, index) => {
      const read = byTable.get(index);
      if (read === undefined) return [];
      const bytes = read.reduce((sum, one) => sum + one.bytes, 0);
      const isSound = read.every(({ digest }) => digest !== null);
      const total = read.reduce(
        (sum, { rows, digest }) => addRowDigests(sum, { rows, digest: digest ?? NO_ROWS.digest }),
        NO_ROWS,
      );
      return [{ isSound, table: { schema, name, ranges: read.length, bytes, ...total } }];
    });
  };
  return { add, join };
}

/** Takes every large object that was planned once, in order of OID, and compares all of them with the manifest. */
function createLargeObjectAccount(request: JoinRequest, items: readonly ReadItem[]) {
  const { manifest, sample } = request;
  const wanted = items.flatMap(({ largeObject }) => largeObject?.oid ?? []).values();
  const digest = createLargeObjectDigest();
  const ofSample: VerifiedLargeObject[] = [];
  let isSound = true;
  const add = ({ oid, bytes, sha256 }: LargeObjectRead): void => {
    const next = wanted.next().value;
    if (oid !== next) throw incomplete(request, `large object ${oid} was read where ${next ?? 'none'} was planned`);
    if (sha256 === null) isSound = false;
    else if (sample === null) digest.add({ oid, bytes, sha256 });
    else ofSample.push({ oid, bytes, sha256 });
  };
  const join = () => {
    const unread = wanted.next().value;
    if (unread !== undefined) throw incomplete(request, `large object ${unread} was not read`);
    // A damaged one has its finding, of which a wrong sum would be the consequence.
    if (!isSound) return { ofSample, problem: undefined };
    if (sample === null) return { ofSample, problem: digest.problem(manifest) };
    // Only all samples together can be compared; the others were read by earlier runs.
    const own = { outcome: 'sample ok' as const, sample, largeObjects: ofSample };
    const set = wholeSetOfSamples([own, ...request.earlier]);
    return { ofSample, problem: set === undefined ? undefined : largeObjectProblem(manifest, set) };
  };
  return { add, join };
}

function countObjects(items: ReturnType<typeof readItems>, { toc, globals, inventory, lists }: BackupFiles): number {
  const data = new Set(items.map(({ table, largeObject }) => table?.key ?? largeObject?.object.key));
  return data.size + lists.length + [toc, globals, inventory].filter((one) => one !== undefined).length;
}

function rangeName(table: number, range: number): string {
  return `range ${range + 1} of table ${table + 1}`;
}

/** The failure of a verification that did not read all it had to. */
export function incomplete(
  { manifest, verificationId }: Pick<JoinRequest, 'manifest' | 'verificationId'>,
  problem: string,
): JobFailure {
  return new JobFailure({
    code: 'verify.incomplete',
    problem: `verification ${verificationId} of backup ${manifest.backupId} is not whole: ${problem}`,
    safeState: 'No evidence was stored; the backup was not changed',
    hint: 'run verify again; if it happens twice, keep the log and report it as a defect',
  });
}
