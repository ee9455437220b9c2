// The columns whose type an ALTER TABLE changes, with the new type as SQL. Pure.
import type { Node } from 'libpg-query';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';

export interface TypeChange {
  readonly column: string;
  /** Undefined for one that this file does not write (with a modifier that is no number). */
  readonly type: string | undefined;
  /** Has a USING, which may make anything of a value. */
  readonly hasExpression: boolean;
}

/** In order of the commands. */
export function typeChanges(commands: readonly Node[]): TypeChange[] {
  return commands.flatMap((command) => {
    if (!('AlterTableCmd' in command) || command.AlterTableCmd.subtype !== 'AT_AlterColumnType') return [];
    const { name = '', def } = command.AlterTableCmd;
    if (!def || !('ColumnDef' in def)) return [];
    const { typeName, raw_default: expression } = def.ColumnDef;
    return [{ column: name, type: typeName && typeText(typeName), hasExpression: expression !== undefined }];
  });
}

function typeText({
  names = [],
  typmods = [],
  arrayBounds = [],
}: {
  names?: Node[];
  typmods?: Node[];
  arrayBounds?: Node[];
}) {
  const parts = names.flatMap((name) => ('String' in name ? [quoteIdentifier(name.String.sval ?? '')] : []));
  const modifiers = typmods.map((modifier) => ('A_Const' in modifier ? modifier.A_Const.ival?.ival : undefined));
  if (modifiers.includes(undefined) || parts.length === 0) return undefined;
  const limits = modifiers.length === 0 ? '' : `(${modifiers.join(', ')})`;
  return `${parts.join('.')}${limits}${arrayBounds.length > 0 ? '[]' : ''}`;
}
