// Collects what is damaged: all of it is counted, the first hundred are listed. An error of S3 is never a finding.
import type { Finding } from '../shared/verification.ts';

/** A backup of which everything is gone would fill the evidence otherwise. */
export const MOST_LISTED = 100;

export interface Findings {
  readonly count: number;
  readonly listed: readonly Finding[];
  /** `object` is a key below the prefix of the backup. */
  add(object: string, problem: string): void;
  /** Adds what another run has found. */
  addAll(other: { findings: readonly Finding[]; findingCount: number }): void;
}

/** An empty collection. */
export function createFindings(): Findings {
  const listed: Finding[] = [];
  let count = 0;
  const list = (finding: Finding) => {
    if (listed.length < MOST_LISTED) listed.push(finding);
  };
  return {
    get count() {
      return count;
    },
    listed,
    add: (object, problem) => {
      count += 1;
      list({ object, problem });
    },
    addAll: ({ findings, findingCount }) => {
      count += findingCount;
      for (const finding of findings) list(finding);
    },
  };
}
