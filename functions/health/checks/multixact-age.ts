// How near any database of the server is to running out of multixact ids; schemas with many foreign keys meet this first.
import type { CheckDefinition } from '../check-definition.ts';
import { type AgeRow, judgeAge } from './age-finding.ts';

export const multixactAge: CheckDefinition<AgeRow> = {
  id: 'multixact-age',
  tier: 'quarter-hour',
  unit: 'transactions',
  sql: [{ sinceMajor: 14, file: 'multixact-age.sql' }],
  thresholds: {
    warning: 110,
    critical: 150,
    source: 'percent of autovacuum_multixact_freeze_max_age, as for transaction ids',
  },
  needs: 'nothing',
  judge: (rows, thresholds) =>
    judgeAge(rows, thresholds, { ids: 'multixact ids', setting: 'autovacuum_multixact_freeze_max_age' }),
};
