// Which archive it is. Everything of one series lies below one prefix and is recorded under one number.
import { purgeKeys } from '../../shared/backup-layout.ts';

export interface ArchiveSeries {
  /** The name of the database in the bucket. */
  readonly database: string;
  readonly policy: string;
  /** nightshift.purge_run.series_id, as text: a bigint. */
  readonly seriesId: string;
}

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** The keys of the archive, made of the number that also stands in nightshift.purge_object: they cannot differ. */
export function keysOfSeries({ database, policy, seriesId }: ArchiveSeries): ReturnType<typeof purgeKeys> {
  return purgeKeys(database, policy, seriesId);
}
