import { describe, expect, test } from 'vitest';
import { withoutRestrictLines } from '../../../functions/migrate/scratch/copy-schema.ts';

describe('withoutRestrictLines', () => {
  test('a dump of pg_dump 17.6: both lines go, and one in a body that looks alike stays', () => {
    const body = "select '\n\\restrict other\n';";

    expect(withoutRestrictLines(`--\n\\restrict aB3\nset x = 1;\n${body}\n\\unrestrict aB3\n`)).toBe(
      `--\nset x = 1;\n${body}\n`,
    );
  });

  test('a dump of an older pg_dump: as it is', () => {
    expect(withoutRestrictLines('--\nset x = 1;\n')).toBe('--\nset x = 1;\n');
  });
});
