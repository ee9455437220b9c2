// Which time limit of the session a statement sets: by SET LOCAL or by set_config.
import type { Node } from 'libpg-query';
import { namesOf, nodesBelow } from './statement-parts.ts';

const TIMEOUTS: ReadonlySet<string> = new Set([
  'lock_timeout',
  'statement_timeout',
  'transaction_timeout',
  'idle_in_transaction_session_timeout',
]);

/** The name of the limit, or undefined. */
export function timeoutSetBy(tree: Node): string | undefined {
  if ('VariableSetStmt' in tree) {
    const name = tree.VariableSetStmt.name?.toLowerCase();
    return name !== undefined && TIMEOUTS.has(name) ? name : undefined;
  }
  if (!('SelectStmt' in tree)) return undefined;
  for (const node of nodesBelow(tree.SelectStmt.targetList)) {
    if (!('FuncCall' in node) || namesOf(node.FuncCall.funcname).at(-1) !== 'set_config') continue;
    const [first] = node.FuncCall.args ?? [];
    const constant = first && 'A_Const' in first ? first.A_Const : undefined;
    const name = constant && 'sval' in constant ? constant.sval?.sval?.toLowerCase() : undefined;
    if (name !== undefined && TIMEOUTS.has(name)) return name;
  }
  return undefined;
}
