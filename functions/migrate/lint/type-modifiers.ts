// Type modifiers as numbers that a person writes: `numeric(10,2)` is [10, 2], whether it comes from the catalog or a file.
import type { Node } from 'libpg-query';
import type { TypeModifiers } from './lint-catalog.ts';

/** The header that the server adds to the length of a text and to precision and scale of a numeric (VARHDRSZ). */
const HEADER = 4;
/** The scale of a numeric has 11 bits and a sign (numeric_typmod_scale in numeric.c). */
const SCALE_BITS = 11;
/** An interval without fields, and one without a precision (timestamp.h). */
const FULL_RANGE = 0x7fff;
const FULL_PRECISION = 0xffff;

/** What `atttypmod` of a type of the server says; [] for none, and for types of others, which only they understand. */
export function modifiersOf(type: string, modifier: number): TypeModifiers {
  if (modifier < 0) return [];
  switch (type) {
    case 'varchar':
    case 'bpchar':
      return [modifier - HEADER];
    case 'numeric': {
      const packed = modifier - HEADER;
      const scale = packed & ((1 << SCALE_BITS) - 1);
      return [(packed >> 16) & 0xffff, (scale ^ (1 << (SCALE_BITS - 1))) - (1 << (SCALE_BITS - 1))];
    }
    case 'interval':
      return intervalModifiers((modifier >> 16) & FULL_RANGE, modifier & FULL_PRECISION);
    default:
      return [modifier];
  }
}

/** What is written in the brackets behind a type in a file. */
export function writtenModifiers(type: string, written: readonly Node[] | undefined): TypeModifiers {
  const numbers = (written ?? []).map(numberOf);
  if (type === 'numeric' && numbers.length === 1) return [...numbers, 0];
  if (type === 'interval' && numbers.length > 0) {
    return intervalModifiers(numbers[0] ?? FULL_RANGE, numbers[1] ?? FULL_PRECISION);
  }
  return numbers;
}

function intervalModifiers(range: number, precision: number): TypeModifiers {
  return range === FULL_RANGE && precision === FULL_PRECISION ? [] : [range, precision];
}

function numberOf(node: Node): number {
  if ('A_Const' in node) {
    const constant = node.A_Const;
    // A zero is an empty object in the tree.
    if ('ival' in constant) return constant.ival?.ival ?? 0;
  }
  // A negative scale: numeric(5, -2).
  if ('A_Expr' in node && node.A_Expr.rexpr) return -numberOf(node.A_Expr.rexpr);
  return Number.NaN;
}
