// The tables that commands print.
import Table from 'cli-table3';

/** An empty table; colours only where asked for. */
export function newTable(head: string[], coloured: boolean) {
  const style = coloured ? { head: ['bold'], border: ['gray'] } : { head: [], border: [] };
  return new Table({ head, style: { compact: true, ...style } });
}
