// A folder of migration files held in memory, for tests of migrate.
import type { MigrationFolder } from '../../functions/shared/migration-files.ts';

/** `{ '0001_a.up.sql': 'create …' }` as the folder that migrate reads. */
export function filesOfTest(files: Readonly<Record<string, string>>): MigrationFolder {
  return {
    name: 'migrations',
    list: () => Object.keys(files).toSorted(),
    read: (name) => {
      const text = files[name];
      if (text === undefined) throw new Error(`no file "${name}"`);
      return text;
    },
  };
}
