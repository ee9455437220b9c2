// In which order policies are carried out: those of tables that reference others first, so that what they remove is in nobody's
// way. Pure.
import { orderOf } from '../links/family.ts';
import type { LinkGraph } from '../links/link-graph.ts';
import type { RetentionPolicy } from './read-policies.ts';

/**
 * By foreign keys, and by name where those do not decide.
 *
 * Where tables reference each other in a circle the names decide for all: what is referenced stays, is counted, and goes in
 * the next run.
 */
export function orderPolicies(graph: LinkGraph, policies: readonly RetentionPolicy[]): RetentionPolicy[] {
  const oids = policies.flatMap(({ table_oid: oid }) => (oid === null ? [] : [oid]));
  const found = orderOf(graph, oids);
  if ('cycle' in found) return [...policies];
  const place = ({ table_oid: oid }: RetentionPolicy) => (oid === null ? -1 : found.order.indexOf(oid));
  return policies.toSorted((one, other) => place(one) - place(other));
}
