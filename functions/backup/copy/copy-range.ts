// Copies one range of a table from the shared snapshot into S3: COPY text, compressed, cut into parts.

import { tailMember } from '../../shared/archive-data/codec.ts';
import { createMemberWriter } from '../../shared/archive-data/member-writer.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import type { BackupPlan, CopiedRange, PlannedRange, PlannedTable } from '../plan/plan-contract.ts';
import { createPartWriter } from './part-writer.ts';
import { rangeQuery } from './range-query.ts';
import type { UploadBudget } from './upload-budget.ts';

export interface CopyRangeRequest {
  /** In a transaction on the shared snapshot, the table locked and checked, row_security as planned. */
  session: DatabaseSession;
  store: ObjectStore;
  plan: Pick<BackupPlan, 'codec'>;
  table: PlannedTable;
  range: PlannedRange;
  budget: UploadBudget;
  signal: AbortSignal;
  /** Bytes of COPY text that have been read since the last call. */
  onProgress(bytes: number): void;
}

/**
 * Stores the range and answers what is in it; the same range of the same snapshot gives the same bytes.
 *
 * When it throws no part is on its way any more, and the session must not be used again. A whole table that fits into
 * one part is put only after the server has said how many rows it was. `signal` ends the COPY and the parts at once.
 */
export async function copyRange(request: CopyRangeRequest): Promise<CopiedRange> {
  const { session, table, range, signal } = request;
  const { codec } = request.plan;
  const [from, to] = range.blocks;
  const parts = createPartWriter({
    store: request.store,
    budget: request.budget,
    codec,
    key: table.key,
    subject: `table "${table.schema}"."${table.name}", blocks ${from} to ${to ?? 'the end'}`,
    uploadId: table.uploadId,
    partBytes: table.partBytes,
    firstPart: range.firstPart,
    parts: range.parts,
    isLast: to === null,
    tail: tailMember(codec),
    signal,
  });
  const member = createMemberWriter({ codec, content: 'rows', take: parts.write });
  try {
    const { rows } = await session.copyOut(rangeQuery(table, range), {
      signal,
      take: (text) => {
        request.onProgress(text.length);
        return member.write(text);
      },
    });
    const { bytes, crc32 } = await member.finish();
    const { length, sha256, upload, object } = await parts.finish();
    return {
      dumpId: table.dumpId,
      blocks: range.blocks,
      rows,
      bytes,
      crc32,
      sha256,
      length,
      upload,
      object: object && { ...object, sha256: null },
    };
  } catch (error) {
    member.destroy();
    await parts.abort();
    signal.throwIfAborted();
    throw error;
  }
}
