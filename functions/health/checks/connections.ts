// How near the server is to refusing new connections.
import { type CheckDefinition, type CheckRow, gradeValue } from '../check-definition.ts';

export interface ConnectionsRow extends CheckRow {
  backends: number;
  idle: number;
  usable: number;
}

export const connections: CheckDefinition<ConnectionsRow> = {
  id: 'connections',
  tier: 'minute',
  unit: 'percent',
  sql: [
    { sinceMajor: 16, file: 'connections-16.sql' },
    { sinceMajor: 14, file: 'connections-14.sql' },
  ],
  thresholds: {
    warning: 80,
    critical: 90,
    source: 'check_postgres warns at 90 %, postgres_mixin at 80 % of the same base',
  },
  needs: 'pg_monitor',
  judge: ([row], thresholds) => {
    const value = row?.value ?? null;
    if (row === undefined || value === null) {
      return {
        status: 'unknown',
        value: null,
        message: 'no connection may be opened by applications, so there is no share of them',
        fix: null,
      };
    }
    return {
      status: gradeValue(value, thresholds),
      value,
      message: `${row.backends} of the ${row.usable} connections that applications may open are in use, ${row.idle} of them idle`,
      fix: "select usename, application_name, state, count(*) from pg_stat_activity where backend_type = 'client backend' group by 1, 2, 3 order by 4 desc; -- lock: none; shows who holds them. More need a pooler or a higher max_connections (restart)",
    };
  },
};
