// What is compared: in each case the one-shot DELETE and our purge, under the same load. Pure.

/** Tables: `plain` is app.event alone, `fk` has app.item with a cascading foreign key to it. */
export type TableKind = 'plain' | 'fk';

export interface PurgeCase {
  name: string;
  /** Of which target lines it is part. */
  group: 'plain' | 'fk' | 'shared' | 'snapshot';
  tables: TableKind;
  deletes: 'naive' | 'ours';
  /** The sessions that touch rows past retention are those of the application, not one of their own. */
  sharedPool: boolean;
  /** One idle REPEATABLE READ session is open during the purge. */
  snapshot: boolean;
}

const alone = { sharedPool: false, snapshot: false } as const;

export const purgeCases: readonly PurgeCase[] = [
  { name: 'plain-naive', group: 'plain', tables: 'plain', deletes: 'naive', ...alone },
  { name: 'plain-ours', group: 'plain', tables: 'plain', deletes: 'ours', ...alone },
  { name: 'fk-naive', group: 'fk', tables: 'fk', deletes: 'naive', ...alone },
  { name: 'fk-ours', group: 'fk', tables: 'fk', deletes: 'ours', ...alone },
  { name: 'shared-naive', group: 'shared', tables: 'fk', deletes: 'naive', sharedPool: true, snapshot: false },
  { name: 'shared-ours', group: 'shared', tables: 'fk', deletes: 'ours', sharedPool: true, snapshot: false },
  { name: 'snapshot-ours', group: 'snapshot', tables: 'plain', deletes: 'ours', sharedPool: false, snapshot: true },
];

export const purgeCaseNames: readonly string[] = purgeCases.map(({ name }) => name);
