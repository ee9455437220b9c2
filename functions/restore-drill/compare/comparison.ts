// What a comparison answers, and how answers add up. Pure.
import type { DrillDifference, DrillFinding, DrillRecord } from '../../shared/drill-record.ts';

export interface Comparison {
  /** The first 100 of them. */
  differences: DrillDifference[];
  differenceCount: number;
  findings: DrillFinding[];
  notProven: string[];
  compared: DrillRecord['compared'];
}

/** The most that a drill record holds. */
const SHOWN_DIFFERENCES = 100;

/** An answer; what is not given is none. */
export function comparison(
  parts: Partial<Omit<Comparison, 'compared' | 'differenceCount'>> & { compared?: Partial<DrillRecord['compared']> },
): Comparison {
  const { differences = [], findings = [], notProven = [], compared = {} } = parts;
  return {
    differences: differences.slice(0, SHOWN_DIFFERENCES),
    differenceCount: differences.length,
    findings,
    notProven,
    compared: { tables: 0, rows: 0, sequences: 0, largeObjects: 0, definitions: 0, assertions: 0, ...compared },
  };
}

/** Both answers as one; the same words about what is not proven come once. */
export function addComparisons(one: Comparison, other: Comparison): Comparison {
  const sum = (name: keyof Comparison['compared']) => one.compared[name] + other.compared[name];
  return {
    differences: [...one.differences, ...other.differences].slice(0, SHOWN_DIFFERENCES),
    differenceCount: one.differenceCount + other.differenceCount,
    findings: [...one.findings, ...other.findings],
    notProven: [...new Set([...one.notProven, ...other.notProven])],
    compared: {
      tables: sum('tables'),
      rows: sum('rows'),
      sequences: sum('sequences'),
      largeObjects: sum('largeObjects'),
      definitions: sum('definitions'),
      assertions: sum('assertions'),
    },
  };
}
