// One JSON line per event through Powertools Logger. An event is a dotted fact in the past tense, as backup.stored.
// Never log connection strings, row values or whole Lambda events.
import { Logger } from '@aws-lambda-powertools/logger';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** A log whose lines all carry job, database and run_id. */
export function createLog(context: { job: string; database: string; runId: string }): Log {
  const logger = new Logger({
    serviceName: 'nightshift',
    persistentKeys: { job: context.job, database: context.database, run_id: context.runId },
  });
  return {
    info: (event, fields = {}) => logger.info(event, { event, ...fields }),
    warn: (event, fields = {}) => logger.warn(event, { event, ...fields }),
    error: (event, fields = {}) => logger.error(event, { event, ...fields }),
  };
}
