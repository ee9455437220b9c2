// Is the server up, and is it a version that the checks are made for?
import type { CheckDefinition } from '../check-definition.ts';
import { describeSeconds } from '../describe-finding.ts';

const OLDEST_MAJOR = 14;
const NEWEST_MAJOR = 18;

/** That this check answers at all is the proof that the server is up; a server that does not answer fails the run. */
export const server: CheckDefinition = {
  id: 'server',
  tier: 'minute',
  unit: 'seconds',
  sql: [],
  thresholds: { warning: null, critical: null, source: 'the versions that the checks are written for' },
  needs: 'nothing',
  judge: (_rows, _thresholds, facts) => {
    const major = Math.floor(facts.versionNumber / 10_000);
    const known = major >= OLDEST_MAJOR && major <= NEWEST_MAJOR;
    const role = facts.inRecovery ? 'replica' : 'primary';
    const up = `PostgreSQL ${facts.version}, ${role}, up for ${describeSeconds(facts.upSeconds)}`;
    return {
      status: known ? 'ok' : 'unknown',
      value: facts.upSeconds,
      message: known ? up : `${up}; the checks are made for PostgreSQL ${OLDEST_MAJOR} to ${NEWEST_MAJOR}`,
      fix: null,
    };
  },
};
