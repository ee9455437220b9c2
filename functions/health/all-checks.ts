// The list of health checks, and which of them a tier runs.
import type { CheckDefinition, Thresholds } from './check-definition.ts';
import { blocking } from './checks/blocking.ts';
import { connections } from './checks/connections.ts';
import { halfDoneMigration } from './checks/half-done-migration.ts';
import { idleInTransaction } from './checks/idle-in-transaction.ts';
import { invalidIndexes } from './checks/invalid-indexes.ts';
import { longTransactions } from './checks/long-transactions.ts';
import { multixactAge } from './checks/multixact-age.ts';
import { oldestXmin } from './checks/oldest-xmin.ts';
import { piiWithoutPolicy } from './checks/pii-without-policy.ts';
import { purgeBacklog } from './checks/purge-backlog.ts';
import { purgeLag } from './checks/purge-lag.ts';
import { purgeStop } from './checks/purge-stop.ts';
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
  purgeLag,
  purgeBacklog,
  purgeStop,
  invalidIndexes,
  sequences,
  piiWithoutPolicy,
];

/** The thresholds that the config gives. */
export interface CheckLimits {
  halfDoneHours: number;
  /** Undefined: not watched. */
  purgeLagHours: number | undefined;
  purgeBacklogRows: number;
}

/**
 * The checks of a tier and of all faster ones, so that one recorded run shows the whole picture.
 *
 * What the limits do not name has its threshold in its definition.
 */
export function checksOfTier(tier: Tier, limits?: CheckLimits): CheckDefinition[] {
  const checks = allChecks.filter((check) => tiers.indexOf(check.tier) <= tiers.indexOf(tier));
  if (limits === undefined) return checks;
  const given = new Map<CheckDefinition, Partial<Thresholds>>([
    [halfDoneMigration, { critical: limits.halfDoneHours }],
    [purgeLag, { critical: limits.purgeLagHours === undefined ? null : limits.purgeLagHours * 3_600 }],
    [purgeBacklog, { warning: limits.purgeBacklogRows }],
  ]);
  return checks.map((check) => {
    const thresholds = given.get(check);
    return thresholds === undefined ? check : { ...check, thresholds: { ...check.thresholds, ...thresholds } };
  });
}
