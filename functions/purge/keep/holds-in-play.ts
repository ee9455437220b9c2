// The holds of now with all that is needed to keep them; read in each batch, worked out again only when they have changed.
import type { DatabaseSession } from '../../shared/database.ts';
import { tableOf } from '../batch/conditions.ts';
import type { Family } from '../links/family.ts';
import type { LinkGraph } from '../links/link-graph.ts';
import { type KnownTables, tablesOfHolds } from '../policy/known-tables.ts';
import type { HoldsInPlay } from './held-condition.ts';
import { parseKey, readHolds, requireKeys } from './read-holds.ts';

/**
 * A reader of the holds for one piece of work.
 *
 * It throws `purge.refused` when a hold cannot be kept row by row: on a table that is not there or has no primary key, or with
 * a key that is no value of its type. Called inside the transaction of a batch, whose lock keeps new holds from coming until it ends.
 */
export function holdsReader(graph: LinkGraph, family: Family, known: KnownTables) {
  let last: { text: string; inPlay: HoldsInPlay } | undefined;
  return async (session: DatabaseSession): Promise<HoldsInPlay> => {
    const holds = await readHolds(session);
    const text = JSON.stringify(holds);
    if (last?.text === text) return last.inPlay;
    await known.learn(session, tablesOfHolds(graph, family, holds));
    for (const { holdId, tableOid, key } of holds) {
      if (key === undefined) continue;
      const table = tableOf(known.tables, tableOid);
      const whose = `legal hold ${holdId}`;
      await requireKeys(session, table, [parseKey(table, key, whose)], whose);
    }
    last = { text, inPlay: { graph, tables: known.tables, holds } };
    return last.inPlay;
  };
}
