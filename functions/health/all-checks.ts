// The list of health checks, and which of them a tier runs.
import type { CheckDefinition } from './check-definition.ts';
import { blocking } from './checks/blocking.ts';
import { connections } from './checks/connections.ts';
import { halfDoneMigration } from './checks/half-done-migration.ts';
import { idleInTransaction } from './checks/idle-in-transaction.ts';
import { invalidIndexes } from './checks/invalid-indexes.ts';
import { longTransactions } from './checks/long-transactions.ts';
import { multixactAge } from './checks/multixact-age.ts';
import { oldestXmin } from './checks/oldest-xmin.ts';
import { sequences } from './checks/sequences.ts';
import { server } from './checks/server.ts';
import { transactionIdAge } from './checks/transaction-id-age.ts';
import { type Tier, tiers } from './contract.ts';

export const allChecks: readonly CheckDefinition[] = [
  server,
  connections,
  longTransactions,
  idleInTransaction,
  oldestXmin,
  blocking,
  transactionIdAge,
  multixactAge,
  halfDoneMigration,
  invalidIndexes,
  sequences,
];

/**
 * The checks of a tier and of all faster ones, so that one recorded run shows the whole picture.
 *
 * `halfDoneHours` is critical for a half done migration; everything else has its threshold in its definition.
 */
export function checksOfTier(tier: Tier, limits?: { halfDoneHours: number }): CheckDefinition[] {
  return allChecks
    .filter((check) => tiers.indexOf(check.tier) <= tiers.indexOf(tier))
    .map((check) =>
      check === halfDoneMigration && limits !== undefined
        ? { ...check, thresholds: { ...check.thresholds, critical: limits.halfDoneHours } }
        : check,
    );
}
