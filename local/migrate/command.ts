// What every action of `npm run migrate` works with.
import { type MigrateEvent, migrateEventSchema } from '../../functions/migrate/contract.ts';
import { type LongReport, readLongStep, reportLongStep } from '../../functions/migrate/long/long-step.ts';
import type { MigrateContext } from '../../functions/migrate/run-migrate.ts';
import type { Clock } from '../../functions/shared/clock.ts';
import { parseEvent } from '../../functions/shared/job-event.ts';
import type { MigrationFolder } from '../../functions/shared/migration-files.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { findClientDirectories } from '../postgres/find-binaries.ts';
import type { OpenDatabase } from './open-database.ts';
import type { MigrateArguments } from './parse-arguments.ts';
import type { MigrateProgress } from './show-progress.ts';

export interface MigrateCommand {
  readonly options: MigrateArguments;
  readonly opened: OpenDatabase;
  readonly folder: MigrationFolder;
  readonly runId: string;
  readonly clock: Clock;
  readonly progress: MigrateProgress;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether stdout may have colours. */
  readonly coloured: boolean;
  /** Writes to stdout. */
  print(this: void, text: string): void;
}

/** What the job itself would get for this action; `more` is added to its event. */
export function contextOf(command: MigrateCommand, more: Partial<MigrateEvent> = {}): MigrateContext {
  const { options, opened, folder, runId, clock, progress, signal } = command;
  const event = parseEvent('migrate', migrateEventSchema, {
    job: 'migrate',
    action: options.action,
    requestedBy: options.requestedBy,
    ...(options.to === undefined ? {} : { to: options.to }),
    ...(options.dryRun ? { dryRun: true } : {}),
    ...(options.confirmLoss ? { confirmLoss: true } : {}),
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.plan === undefined ? {} : { plan: options.plan }),
    ...(options.rehearse ? {} : { rehearse: false }),
    ...(options.drift ? { drift: true } : {}),
    ...more,
  });
  return {
    runId,
    log: progress.log,
    metrics: { put: () => {}, flush: () => {} },
    clock,
    signal,
    event,
    database: opened.database,
    limits: opened.limits,
    folder,
    mayWatch: true,
    store: options.action === 'plan' && options.bucket !== undefined ? createObjectStore(options.bucket) : undefined,
    databaseName: opened.name,
    clientDirectories: findClientDirectories()
      .map(({ directory }) => directory)
      .join(':'),
    lockAttempts: opened.lockAttempts,
    // A statement that runs alone is left to the server when a person stops the command.
    pause: signal,
  };
}

/** The statement that runs alone, read by a session of its own; undefined when there is none. */
export async function readReport({ opened }: Pick<MigrateCommand, 'opened'>): Promise<LongReport | undefined> {
  return await opened.database.withSession(async (session) => {
    const step = await readLongStep(session);
    return step === undefined ? undefined : await reportLongStep(step);
  });
}
