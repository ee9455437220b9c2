import { describe, expect, test } from 'vitest';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../../functions/shared/quote-identifier.ts';

describe('quoteIdentifier', () => {
  test('a name with quotes and blanks: doubled and wrapped', () => {
    expect(quoteIdentifier('odd "name"; drop table x')).toBe('"odd ""name""; drop table x"');
    expect(quoteQualified('Odd', 'a.b')).toBe('"Odd"."a.b"');
  });

  test.each(['', 'a\0b'])('what PostgreSQL cannot have as a name (%j): refused', (name) => {
    expect(() => quoteIdentifier(name)).toThrow(RangeError);
  });
});

describe('quoteLiteral', () => {
  test('quotes and backslashes: a literal that does not depend on standard_conforming_strings', () => {
    expect(quoteLiteral("it's")).toBe("'it''s'");
    expect(quoteLiteral("a\\'b")).toBe("E'a\\\\''b'");
  });
});
