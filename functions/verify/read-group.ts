// Reads some items of a backup, several at the same time; group 0 checks the structure, too.

import type { Source } from '../shared/archive-data/read-stored.ts';
import { type BackupFiles, backupFiles } from '../shared/backup-files.ts';
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { inParallel } from '../shared/in-parallel.ts';
import type { JobContext } from '../shared/job-handler.ts';
import type { SettingValues } from '../shared/read-environment.ts';
import type { Sample } from '../shared/verification.ts';
import { checkStructure } from './check-structure.ts';
import type { verifySettings } from './environment.ts';
import { createFindings, type Findings } from './findings.ts';
import type { ReadItem } from './plan-reading.ts';
import { readLargeObject } from './read-large-object.ts';
import { readRange } from './read-range.ts';
import type { LargeObjectRead, RangeRead, ReadWork } from './work-contract.ts';

interface GroupRequest {
  job: Pick<JobContext, 'store' | 'clock' | 'signal' | 'log'> & { settings: SettingValues<typeof verifySettings> };
  manifest: BackupManifest;
  verificationId: string;
  sample: Sample | null;
  group: number;
  items: readonly ReadItem[];
}

/**
 * What was read and found. Damage is in the findings; throws only what says nothing about the backup.
 *
 * When one reading fails the others are broken off, and have ended when it throws.
 */
export async function readGroup(request: GroupRequest): Promise<ReadWork> {
  const { job, manifest, verificationId, sample, group, items } = request;
  const { store, clock, settings } = job;
  const startedAt = clock.now();
  const cancel = new AbortController();
  const findings = createFindings();
  let bytes = 0;
  const source: Source = {
    store,
    clock,
    signal: AbortSignal.any([job.signal, cancel.signal]),
    onBytes: (more) => {
      bytes += more;
    },
  };
  if (group === 0) {
    await checkStructure({
      source,
      manifest,
      findings,
      clientDirectories: settings.POSTGRES_CLIENT_DIRECTORIES,
    });
    job.log.info('verify.structure_checked', { backup_id: manifest.backupId, findings: findings.count });
  }
  const files = backupFiles(manifest);
  const results = await inParallel(settings.VERIFY_READERS, items, async (item) => {
    try {
      return await readItem(source, manifest, files, item, findings);
    } catch (error) {
      cancel.abort(error);
      throw error;
    }
  });
  // A reading that ended by itself at the deadline is not one of the whole.
  job.signal.throwIfAborted();
  return {
    workVersion: 1,
    verificationId,
    backupId: manifest.backupId,
    sample,
    group,
    startedAt: startedAt.toISOString(),
    finishedAt: clock.now().toISOString(),
    structure: group === 0,
    ranges: results.flatMap(({ range }) => range ?? []),
    largeObjects: results.flatMap(({ largeObject }) => largeObject ?? []),
    bytes,
    findings: [...findings.listed],
    findingCount: findings.count,
  };
}

async function readItem(
  source: Source,
  manifest: BackupManifest,
  files: BackupFiles,
  item: ReadItem,
  findings: Findings,
): Promise<{ range?: RangeRead; largeObject?: LargeObjectRead }> {
  const { root } = backupKeys(manifest.database, manifest.backupId);
  const nameOf = (key: string) => (key.startsWith(root) ? key.slice(root.length) : key);
  if (item.largeObject === undefined) {
    const { table, tableIndex, range } = item;
    const object = files.tables.get(table.key);
    const { problems, ...read } = await readRange({ source, codec: manifest.codec, table, range, object });
    for (const problem of problems) findings.add(nameOf(table.key), problem);
    return { range: { table: tableIndex, ...read } };
  }
  const { problems, ...read } = await readLargeObject(source, manifest.codec, item.largeObject);
  if (problems.length > 0) findings.add(nameOf(item.largeObject.object.key), problems.join('; '));
  return { largeObject: read };
}
