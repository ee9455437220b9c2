// The database roles of Nightshift: one per job, each with the least that the job needs. Read by plan-roles.ts.

export interface WantedRole {
  readonly name: string;
  readonly createdb: boolean;
  /** For whoever must see every row of a table with row level security: a cut read looks like missing rows. */
  readonly bypassrls: boolean;
  /** The drill logs in to the maintenance database of its target, which may be another server. */
  readonly anyDatabase?: boolean;
  /** Bounds what a runaway job can take from the application. */
  readonly connectionLimit: number;
  readonly memberOf: readonly string[];
  /** Defaults for whoever logs in as the role; the jobs set their own per session, and pg_dump switches timeouts off. */
  readonly settings: Readonly<Record<string, string>>;
}

export const wantedRoles = {
  BACKUP_SECRET_ARN: {
    name: 'nightshift_backup',
    createdb: false,
    bypassrls: true,
    connectionLimit: 40,
    memberOf: ['pg_read_all_data'],
    // A backup has nothing to write: whatever tries to fails.
    settings: { default_transaction_read_only: 'on', lock_timeout: '30s' },
  },
  DRILL_SECRET_ARN: {
    name: 'nightshift_drill',
    createdb: true,
    bypassrls: false,
    anyDatabase: true,
    connectionLimit: 20,
    memberOf: [],
    settings: { lock_timeout: '30s' },
  },
  PURGE_SECRET_ARN: {
    name: 'nightshift_purge',
    createdb: false,
    bypassrls: true,
    connectionLimit: 6,
    // How far replicas are behind, and what autovacuum works on: it waits for both.
    memberOf: ['pg_read_all_stats'],
    settings: { lock_timeout: '5s', statement_timeout: '15min', idle_in_transaction_session_timeout: '60s' },
  },
  HEALTH_SECRET_ARN: {
    name: 'nightshift_health',
    createdb: false,
    bypassrls: false,
    connectionLimit: 6,
    memberOf: ['pg_monitor'],
    settings: {
      default_transaction_read_only: 'on',
      lock_timeout: '1s',
      statement_timeout: '60s',
      idle_in_transaction_session_timeout: '60s',
    },
  },
  MIGRATE_SECRET_ARN: {
    name: 'nightshift_migrate',
    // Rehearsal, certificate and drift work in a scratch database.
    createdb: true,
    bypassrls: false,
    connectionLimit: 6,
    // Whoever is in the way of a migration is named with the age of its transaction and the shape of its statement.
    memberOf: ['pg_monitor'],
    settings: { lock_timeout: '5s', idle_in_transaction_session_timeout: '60s' },
  },
} as const satisfies Record<string, WantedRole>;

export type RoleSecretSetting = keyof typeof wantedRoles;
