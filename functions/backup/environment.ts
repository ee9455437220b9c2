// The settings of backup: the contract between infra and this function.
import { backupStoreSettings, clientToolsSettings, databaseSettings } from '../shared/environment.ts';
import {
  choice,
  type EnvironmentVariables,
  integer,
  jsonList,
  optional,
  withFallback,
} from '../shared/read-environment.ts';

/** pg_dump's own patterns, e.g. `audit`, `audit.*` or `"Odd Name"`; passed on one by one, never through a shell. */
function patterns(summary: string, example: string) {
  return withFallback(jsonList({ summary, example }), []);
}

export const backupSettings = {
  ...databaseSettings,
  ...backupStoreSettings,
  ...clientToolsSettings,
  CODEC: withFallback(
    choice({
      summary:
        'How the rows are compressed. "gzip": every pg_restore reads it. "zstd": smaller and faster; needs a server and a pg_restore of 16 or newer.',
      example: 'gzip',
      of: ['gzip', 'zstd'],
    }),
    'gzip',
  ),
  WORKERS: withFallback(
    integer({
      summary:
        'Tables, or ranges of a table, that a backup in one function reads at the same time; each takes one session and 16 MiB. One session and pg_dump come on top.',
      example: '2',
      min: 1,
      max: 16,
    }),
    2,
  ),
  PARTS_IN_FLIGHT: withFallback(
    integer({
      summary:
        'Parts of the archive that are uploaded at the same time; memory is this number times the part size (5 MiB up to 22 GiB of table).',
      example: '4',
      min: 1,
      max: 32,
    }),
    4,
  ),
  INLINE_LIMIT_GIB: withFallback(
    integer({
      summary:
        'Up to this size of the tables the whole backup is made in one function; above, by the steps of the workflow.',
      example: '8',
      min: 0,
      max: 1_000,
    }),
    8,
  ),
  COPY_STEPS: withFallback(
    integer({
      summary: 'Copy steps of a distributed backup that run at the same time; each takes one session.',
      example: '8',
      min: 1,
      max: 100,
    }),
    8,
  ),
  SNAPSHOT_HOLDER: withFallback(
    choice({
      summary:
        'Who keeps the snapshot of a distributed backup. "server": a statement on the server, which needs no client. "relay": two functions in turn, for a server behind a pooler or proxy that ends the sessions of clients that are gone.',
      example: 'server',
      of: ['server', 'relay'],
    }),
    'server',
  ),
  SNAPSHOT_LIFE_SECONDS: withFallback(
    integer({
      summary:
        'Longest life of the snapshot, and so of a backup; it holds back vacuum on the whole server for as long.',
      example: '21600',
      min: 60,
      max: 72_000,
    }),
    21_600,
  ),
  RELAY_SHIFT_SECONDS: withFallback(
    integer({
      summary: 'How long one function of the relay keeps the snapshot before the other takes over.',
      example: '600',
      min: 10,
      max: 780,
    }),
    600,
  ),
  INCLUDE_SCHEMAS: patterns('Only these schemas (pg_dump --schema).', '["app"]'),
  EXCLUDE_SCHEMAS: patterns('Not these schemas (pg_dump --exclude-schema).', '["scratch"]'),
  INCLUDE_TABLES: patterns('Only these tables (pg_dump --table).', '["app.orders"]'),
  EXCLUDE_TABLES: patterns('Not these tables (pg_dump --exclude-table).', '["app.cache_*"]'),
  EXCLUDE_TABLE_DATA: patterns('These tables without their rows (pg_dump --exclude-table-data).', '["app.sessions"]'),
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: optional(
    integer({
      summary:
        'Memory of the function in MiB, set by Lambda itself; a table whose parts would not fit into it is refused.',
      example: '2048',
      min: 128,
      max: 10_240,
    }),
  ),
} as const;

export type BackupEnvironment = EnvironmentVariables<typeof backupSettings>;
