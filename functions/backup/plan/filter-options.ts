// The filters of a backup as pg_dump's own options: what a pattern means is pg_dump's to say.
import type { SettingValues } from '../../shared/read-environment.ts';
import type { backupSettings } from '../environment.ts';

export type FilterSettings = Pick<
  SettingValues<typeof backupSettings>,
  'INCLUDE_SCHEMAS' | 'EXCLUDE_SCHEMAS' | 'INCLUDE_TABLES' | 'EXCLUDE_TABLES' | 'EXCLUDE_TABLE_DATA'
>;

/**
 * One option for each pattern. With anything included, `--strict-names`: a misspelt name must not make an empty backup.
 *
 * Patterns are arguments of their own and never seen by a shell; `=` keeps one that begins with "-" from being an option.
 */
export function filterOptions(settings: FilterSettings): string[] {
  const isNarrowed = settings.INCLUDE_SCHEMAS.length + settings.INCLUDE_TABLES.length > 0;
  return [
    ...settings.INCLUDE_SCHEMAS.map((pattern) => `--schema=${pattern}`),
    ...settings.EXCLUDE_SCHEMAS.map((pattern) => `--exclude-schema=${pattern}`),
    ...settings.INCLUDE_TABLES.map((pattern) => `--table=${pattern}`),
    ...settings.EXCLUDE_TABLES.map((pattern) => `--exclude-table=${pattern}`),
    ...settings.EXCLUDE_TABLE_DATA.map((pattern) => `--exclude-table-data=${pattern}`),
    ...(isNarrowed ? ['--strict-names'] : []),
  ];
}
