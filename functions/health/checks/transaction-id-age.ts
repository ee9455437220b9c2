// How near any database of the server is to running out of transaction ids.
import type { CheckDefinition } from '../check-definition.ts';
import { type AgeRow, judgeAge } from './age-finding.ts';

export const transactionIdAge: CheckDefinition<AgeRow> = {
  id: 'transaction-id-age',
  tier: 'quarter-hour',
  unit: 'transactions',
  sql: [{ sinceMajor: 14, file: 'transaction-id-age.sql' }],
  thresholds: {
    warning: 110,
    critical: 150,
    source:
      'percent of autovacuum_freeze_max_age: at 100 % the forced vacuum starts, so 110 % means that it does not get through (pgMonitor 110/125)',
  },
  needs: 'nothing',
  judge: (rows, thresholds) =>
    judgeAge(rows, thresholds, { ids: 'transaction ids', setting: 'autovacuum_freeze_max_age' }),
};
