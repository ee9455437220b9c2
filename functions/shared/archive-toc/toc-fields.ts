// The primitive fields of an archive: bytes, numbers, strings. Read by steps: each step asks for a number of bytes and
// is resumed with exactly these, so that no byte is ever looked at twice however the pipe cuts them.
import { DamagedField, inFigures } from './toc-failure.ts';

/** A reading that yields how many bytes it needs next, is resumed with them, and returns its value. */
export type Reading<T> = Generator<number, T, Buffer>;

export const MAX_INT = 2_147_483_647;
const MAX_OID = 4_294_967_295;
/** Longer than any name or function signature that PostgreSQL can have. */
const MAX_NAME_BYTES = 1_048_576;

/** A number: one byte of sign, four of magnitude, lowest first. */
export function* readInt(what: string, min: number, max: number): Reading<number> {
  const bytes = yield 5;
  const sign = bytes.readUInt8(0);
  const magnitude = bytes.readUInt32LE(1);
  // A sign byte other than 0 and 1, or a negative zero, would not be written back as the same bytes.
  if (sign > 1 || (sign === 1 && magnitude === 0)) {
    throw new DamagedField(
      `${what} has the sign byte ${sign} with magnitude ${inFigures(magnitude)}, which is no number`,
    );
  }
  const value = sign === 1 ? -magnitude : magnitude;
  if (value < min || value > max) {
    throw new DamagedField(`${what} is ${inFigures(value)} but must be ${inFigures(min)} to ${inFigures(max)}`);
  }
  return value;
}

/** A string of any length, or null when it is absent. */
export function* readBytes(what: string, maxBytes: number = MAX_INT): Reading<Buffer | null> {
  const length = yield* readInt(`the length of ${what}`, -1, maxBytes);
  return length === -1 ? null : yield length;
}

/** A name or other short string in the archive's encoding, or null when it is absent. */
export function* readName(what: string): Reading<Buffer | null> {
  return yield* readBytes(what, MAX_NAME_BYTES);
}

/** A name that cannot be absent. */
export function* readPresentName(what: string): Reading<Buffer> {
  const bytes = yield* readName(what);
  if (bytes === null) throw new DamagedField(`${what} is absent but must be there`);
  return bytes;
}

/** A text that pg_dump itself words, so printable ASCII. */
export function* readAscii(what: string): Reading<string> {
  const text = (yield* readPresentName(what)).toString('latin1');
  if (!/^[ -~]*$/.test(text)) throw new DamagedField(`${what} holds bytes that are not printable ASCII`);
  return text;
}

/** An OID, which the archive holds as decimal digits. */
export function* readOid(what: string): Reading<number> {
  return digitsToNumber(what, yield* readPresentName(what), 0, MAX_OID);
}

/** Dump IDs as decimal digits, up to an absent string. */
export function* readDumpIds(what: string): Reading<number[]> {
  const ids: number[] = [];
  for (;;) {
    const digits = yield* readName(what);
    if (digits === null) return ids;
    ids.push(digitsToNumber(what, digits, 1, MAX_INT));
  }
}

function digitsToNumber(what: string, digits: Buffer, min: number, max: number): number {
  const text = digits.toString('latin1', 0, 11);
  // No leading zero: the same digits must come out when it is written.
  const value = /^(?:0|[1-9]\d{0,9})$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new DamagedField(`${what} is ${JSON.stringify(text)} but must be the digits of ${min} to ${inFigures(max)}`);
}
