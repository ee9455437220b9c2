// The tables that commands print.
import Table, { type TableConstructorOptions } from 'cli-table3';

/**
 * An empty table; colours only where asked for.
 * The head is painted here: the library asks the process's environment whether it may, so that a terminal that was
 * recognised by the command got no colours, or a file got some.
 */
export function newTable(
  head: string[],
  coloured: boolean,
  options: Pick<TableConstructorOptions, 'colAligns' | 'colWidths' | 'wordWrap'> = {},
) {
  return new Table({
    ...options,
    head: coloured ? head.map((title) => `\u001b[1m${title}\u001b[22m`) : head,
    style: { compact: true, head: [], border: [] },
  });
}
