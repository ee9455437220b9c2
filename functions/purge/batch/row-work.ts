// What a batch works on: a table, the rows in scope and their order, and what is done to them.
import type { Family } from '../links/family.ts';
import type { LinkGraph } from '../links/link-graph.ts';
import type { TableFacts } from '../links/read-tables.ts';
import type { Tables } from './conditions.ts';
import type { Parameters } from './parameters.ts';

export interface OrderColumn {
  /** Over the alias t. */
  readonly sql: string;
  readonly type: string;
}

export interface RowWork {
  readonly table: TableFacts;
  readonly family: Family;
  readonly graph: LinkGraph;
  /** The tables that the family, what references it and the holds of now name; grows when a new hold names another one. */
  readonly tables: Tables;
  /** The condition on a row (alias t) to be in scope at all; held and referenced rows are left out by whoever chooses. */
  scope(parameters: Parameters): string;
  /** Of the rows in scope, in this order; no two rows have the same place. */
  readonly order: readonly OrderColumn[];
  readonly isDated: boolean;
  /** `children`: of an erasure, whose run is that of the person's own table. */
  readonly countsAs: 'rows' | 'children';
  readonly action: 'delete' | 'anonymise';
  /** Of the action anonymise: the SET list, the marker included. */
  readonly assignments: string | undefined;
  /** Removes the rows of a set and keeps them elsewhere in the same transaction; answers how many they were. */
  readonly archive: ((table: TableFacts, set: RowSet) => Promise<number>) | undefined;
}

/** The place of a row in the order: one text for each of its columns. */
export type Position = readonly string[];

/** Rows by where they lie, as the server writes arrays of oid and of tid. */
export interface RowSet {
  readonly rows: number;
  readonly tables: string;
  readonly places: string;
}
