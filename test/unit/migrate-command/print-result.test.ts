import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readMigrations } from '../../../functions/shared/migration-files.ts';
import { printStatus } from '../../../local/migrate/print-result.ts';
import { filesOfTest } from '../../database/migration-files-of-test.ts';

describe('printStatus', () => {
  const show = async (coloured: boolean) => {
    const names = ['0001_a', '0002_b', '0003_c', '0004_d'];
    const files = await readMigrations(
      filesOfTest(
        Object.fromEntries(
          names.flatMap((name) => [`${name}.up.sql`, `${name}.down.sql`]).map((name) => [name, 'select 1']),
        ),
      ),
      true,
    );
    const record = (number: number) => ({
      number,
      name: 'x',
      checksum: 'x',
      applied_at: new Date('2026-11-26T02:00:00Z'),
    });
    return printStatus(
      {
        action: 'status',
        dryRun: false,
        current: 2,
        pending: [{ number: 4, name: 'd' }],
        halfDone: {
          number: 3,
          name: 'c',
          direction: 'up',
          statementsDone: 1,
          statements: 3,
          since: '2026-11-26T02:00:00Z',
        },
        running: null,
        changed: ['migrations/0002_b.up.sql'],
        drift: null,
        downTo: 1,
      },
      { files, history: [record(1), record(2), record(3)], coloured },
    );
  };

  test('every state: told in words, without a control character unless asked for', async () => {
    const text = (await show(false)).replaceAll(/ +/g, ' ');

    expect(text).toContain('│ 0001_a │ applied │ 26 Nov 2026 02:00 │');
    expect(text).toContain('│ 0002_b │ CHANGED after it was applied │ 26 Nov 2026 02:00 │');
    expect(text).toContain('│ 0003_c │ half done: up, 1 of 3 statements │ – │');
    expect(text).toContain('│ 0004_d │ pending │ – │');
    expect(text).toContain('Now at 2, 1 pending, one half done.');
    expect(text).not.toContain('\u001b');
  });

  test('on a terminal: the same words in colours', async () => {
    expect(stripVTControlCharacters(await show(true))).toBe(await show(false));
    expect(await show(true)).toContain('\u001b[31mCHANGED after it was applied\u001b[39m');
  });
});
