// Whether S3 has copied all objects of a backup to the replica: asked once per object, remembered below health/copied/.
import { backupKeys, copySampleKeys } from '../../shared/backup-layout.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import type { ReadableBackup } from '../../shared/stored-backup.ts';

/** Two seconds at 16 at a time; a backup of more objects is looked through over several runs. */
const MOST_HEADS = 1_000;
const HEADS_AT_ONCE = 16;

/** How far the copying of one backup is: `copied` of its `total` objects, counted from the first one on. */
export interface CopyProgress {
  backup: ReadableBackup;
  copied: number;
  total: number;
  /** The first object that is not copied, with what S3 says of it; undefined when all are, or were not looked at yet. */
  stuck: { key: string; status: 'PENDING' | 'FAILED' | 'none' | 'gone' } | undefined;
}

export interface CopyFacts {
  /** Newest first, up to the first that is copied whole. */
  seen: readonly CopyProgress[];
  /** Why S3 could not be asked. */
  problem: string | undefined;
}

export interface CopyCheck {
  /** Looks at a backup that counts; newest first, and nothing more once one is copied whole. */
  look(backup: ReadableBackup): Promise<void>;
  isDone(): boolean;
  facts(): CopyFacts;
}

/**
 * A check that asks for at most 1,000 objects.
 *
 * COMPLETED is final, because no object is ever overwritten: what was seen once is not asked again. A failure of S3 becomes
 * `problem`, so that it does not silence the other ages.
 */
export async function createCopyCheck(store: ObjectStore, database: string): Promise<CopyCheck> {
  const keys = copySampleKeys(database);
  const seen: CopyProgress[] = [];
  let problem: string | undefined;
  let headsLeft = MOST_HEADS;

  const guard = async (work: () => Promise<void>) => {
    try {
      if (problem === undefined) await work();
    } catch (error) {
      problem = error instanceof JobFailure ? error.problem : describeError(error);
    }
  };

  const ask = async (objects: readonly string[]) =>
    await inParallel(HEADS_AT_ONCE, objects, async (key) => {
      const head = await store.head(key);
      return head === undefined ? 'gone' : (head.replication ?? 'none');
    });

  const remembered = new Map<string, number>();
  await guard(async () => {
    for await (const { key } of store.list(keys.prefix)) {
      const sample = keys.parse(key);
      if (sample) remembered.set(sample.backupId, Math.max(sample.checked, remembered.get(sample.backupId) ?? 0));
    }
  });

  const isDone = () => problem !== undefined || seen.some(({ copied, total }) => copied === total);

  return {
    isDone,
    facts: () => ({ seen, problem }),
    look: async (backup) =>
      await guard(async () => {
        if (isDone()) return;
        // The manifest alone first: it is written last, so as long as it is not copied the others need not be asked.
        const objects = [
          backupKeys(database, backup.backupId).manifest,
          ...backup.manifest.objects.map(({ key }) => key),
        ];
        const before = remembered.get(backup.backupId) ?? 0;
        const left = objects.slice(before, before + headsLeft);
        const statuses = await ask(left.slice(0, 1));
        if (statuses[0] === 'COMPLETED') statuses.push(...(await ask(left.slice(1))));
        headsLeft -= statuses.length;
        const asked = left.slice(0, statuses.length);
        const firstNot = statuses.findIndex((status) => status !== 'COMPLETED');
        const copied = before + (firstNot < 0 ? asked.length : firstNot);
        seen.push({ backup, copied, total: objects.length, stuck: stuckAt(asked, statuses) });
        if (copied > before) {
          const sample = { backupId: backup.backupId, copied, total: objects.length };
          const key = keys.sample(backup.backupId, copied, objects.length);
          await store.putSame(key, Buffer.from(`${JSON.stringify(sample)}\n`), 'application/json');
        }
      }),
  };
}

/** A failed object matters more than those that only wait: S3 does not try it again. */
function stuckAt(keys: readonly string[], statuses: readonly string[]): CopyProgress['stuck'] {
  for (const status of ['FAILED', 'gone', 'none'] as const) {
    const key = keys[statuses.indexOf(status)];
    if (key !== undefined) return { key, status };
  }
  // REPLICA: the object is itself a copy from elsewhere, which no rule of ours copies on.
  const waiting = keys[statuses.findIndex((status) => status !== 'COMPLETED')];
  return waiting === undefined ? undefined : { key: waiting, status: 'PENDING' };
}
