// What a dry run shows: the files and, per statement, its line and first line. Pure.
import { scriptOf } from '../shared/migration-run.ts';
import type { ChosenMigrations } from './choose-migrations.ts';
import type { MigrateResult } from './contract.ts';

/** The files that would be run, in order. */
export function describePlan(chosen: ChosenMigrations): MigrateResult['planned'] {
  return chosen.migrations.map((migration) => {
    const { file, statements } = scriptOf(migration, chosen.direction);
    return { file, statements: statements.map(({ line, firstLine }) => `${line}: ${firstLine}`) };
  });
}
