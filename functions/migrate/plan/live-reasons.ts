// Reasons that the live server gives against changing its schema right now.
import type { DatabaseSession } from '../../shared/database.ts';
import { type Blocker, describeBlockers } from '../../shared/describe-blockers.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { PlanReason } from './contract.ts';

/**
 * A transaction that is older outlasts the tries for a lock that a run makes by default (about a minute with their pauses), and
 * holds up every statement with CONCURRENTLY.
 */
export const OLD_TRANSACTION_SECONDS = 60;
/** A change that rewrites sends the whole table to the replicas: one that lags already would be out of use for longer. */
export const MOST_LAG_SECONDS = 30;

interface PlanFacts {
  old_transactions: Blocker[];
  lock_waiters: number;
  hidden: number;
  replica_lag_seconds: number | null;
  logical_slots: string[];
  subscriptions: string[];
}

/** Looks at sessions, locks, replicas and logical replication of this database. */
export async function liveReasons(session: DatabaseSession): Promise<PlanReason[]> {
  const { rows } = await session.query<PlanFacts>(readSqlFile('migrate/plan-facts.sql'), [OLD_TRANSACTION_SECONDS]);
  const facts = rows[0];
  if (!facts) throw new TypeError('plan-facts.sql has answered no row');
  const reasons: PlanReason[] = [];
  const say = (level: PlanReason['level'], about: PlanReason['about'], problem: string, hint: string) =>
    reasons.push({ level, about, problem, hint });
  if (facts.old_transactions.length > 0) {
    say(
      'wait',
      'transactions',
      `${facts.old_transactions.length} transactions are open for ${OLD_TRANSACTION_SECONDS} s or longer, the oldest by ${await describeBlockers(facts.old_transactions.slice(0, 1))}`,
      'wait until they end, or end them',
    );
  }
  if (facts.lock_waiters > 0) {
    say(
      'wait',
      'locks',
      `${facts.lock_waiters} sessions wait for locks for a second or longer`,
      'wait until they have them',
    );
  }
  if (facts.hidden > 0) {
    say(
      'approve',
      'transactions',
      `${facts.hidden} sessions are hidden from this role, so whether they are in the way is not known`,
      'grant pg_monitor to nightshift_migrate (bootstrap does)',
    );
  }
  if ((facts.replica_lag_seconds ?? 0) > MOST_LAG_SECONDS) {
    say(
      'wait',
      'replicas',
      `a replica lags by ${Math.round(facts.replica_lag_seconds ?? 0)} s; more than ${MOST_LAG_SECONDS} s is too much`,
      'wait until it has caught up',
    );
  }
  if (facts.logical_slots.length > 0) {
    say(
      'approve',
      'logical replication',
      `logical slots read this database: ${facts.logical_slots.join(', ')}; changes of the schema do not go through them (a blue/green deployment fails by them)`,
      'make sure that whoever reads the slot gets the same change',
    );
  }
  if (facts.subscriptions.length > 0) {
    say(
      'approve',
      'logical replication',
      `this server subscribes to ${facts.subscriptions.join(', ')}: rows from there must fit the new schema`,
      'change the publisher as well, in the right order',
    );
  }
  return reasons;
}
