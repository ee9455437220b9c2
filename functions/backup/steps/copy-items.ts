// One worker: a session of its own on the shared snapshot that copies one range after another. Both drivers use it.
import type { Database } from '../../shared/database.ts';
import { copyLargeObjects } from '../copy/copy-large-objects.ts';
import { copyRange } from '../copy/copy-range.ts';
import type { UploadBudget } from '../copy/upload-budget.ts';
import type { BackupPlan, CopiedLargeObject, CopiedRange, WorkItem } from '../plan/plan-contract.ts';
import type { BackupJob } from '../run-backup.ts';
import { importSnapshot, lockTable } from '../snapshot/import-snapshot.ts';

export interface CopiedItems {
  readonly ranges: CopiedRange[];
  readonly largeObjects: CopiedLargeObject[];
}

interface CopyItemsRequest {
  job: BackupJob;
  source: Database;
  plan: BackupPlan;
  /** The next item that no other worker has; undefined when there is none left. */
  next: () => WorkItem | undefined;
  /** Where results go, one whole item at a time: what is in it is stored. */
  copied: CopiedItems;
  budget: UploadBudget;
  signal: AbortSignal;
  onProgress: (bytes: number) => void;
}

/** Copies until there is no next item; the session is closed when it throws, and with it a COPY that still runs. */
export async function copyItems(request: CopyItemsRequest): Promise<void> {
  const { job, source, plan, copied, budget, signal, onProgress } = request;
  const { store } = job;
  const tables = new Map(plan.tables.map((table) => [table.dumpId, table]));
  let item = request.next();
  if (item === undefined) return;
  await source.withSession(async (session) => {
    await importSnapshot(session, { backupId: plan.backupId, expected: plan.server, signal });
    for (; item !== undefined; item = request.next()) {
      signal.throwIfAborted();
      if ('largeObjects' in item) {
        const batch = plan.largeObjects[item.largeObjects];
        if (!batch) throw new Error(`the plan has no large objects number ${item.largeObjects}`);
        copied.largeObjects.push(
          ...(await copyLargeObjects({ session, store, plan, batch, budget, signal, onProgress })),
        );
        continue;
      }
      const planned = tables.get(item.dumpId);
      if (!planned) throw new Error(`the plan has no table ${item.dumpId}`);
      const table = item.uploadId === undefined ? planned : { ...planned, uploadId: item.uploadId };
      await lockTable(session, table);
      await session.query(`set local row_security = ${table.rowSecurity}`);
      const { range } = item;
      copied.ranges.push(await copyRange({ session, store, plan, table, range, budget, signal, onProgress }));
    }
    await session.query('commit');
  });
}
