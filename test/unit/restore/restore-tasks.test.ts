import { describe, expect, test } from 'vitest';
import { chooseEntries } from '../../../functions/shared/restore/choose-entries.ts';
import type { OpenArchive } from '../../../functions/shared/restore/open-archive.ts';
import { type RestoreTask, restoreTasks, stepOfEntry } from '../../../functions/shared/restore/restore-tasks.ts';
import { tocFixtures } from '../../fixtures/toc/toc-fixtures.ts';
import { entryOf, openedArchive } from '../../support/opened-archive.ts';

function tasksOf(
  archive: OpenArchive,
  jobs = 4,
  part: 'all' | 'schema-only' | 'data-only' = 'all',
  mostBytes = 1_000_000,
): RestoreTask[] {
  return restoreTasks(archive, chooseEntries(archive, { schemas: [], tables: [], part }), { jobs, mostBytes });
}

const archive = openedArchive('15');
const tasks = tasksOf(archive);

function rowsOf(name: string, of = tasks): RestoreTask[] {
  return of.filter((task) => task.kind === 'rows' && task.step.table.name === name);
}

function sqlOf(name: string, of = tasks, from = archive): RestoreTask {
  const step = stepOfEntry(entryOf(from.toc, name));
  const task = of.find((one) => one.name === step);
  if (task === undefined) throw new Error(`there is no task for ${name}`);
  return task;
}

const namesOf = (of: readonly RestoreTask[]) => of.map(({ name }) => name);

describe('restoreTasks', () => {
  test.each(tocFixtures)(
    'archive of $folder: names are unique, and whatever is waited for comes before',
    ({ folder, tables }) => {
      const all = tasksOf(openedArchive(folder));

      expect(new Set(namesOf(all)).size).toBe(all.length);
      expect(all.filter(({ kind }) => kind === 'rows')).toHaveLength(tables);
      const seen = new Set<string>();
      for (const { name, after } of all) {
        expect(after.filter((one) => !seen.has(one))).toEqual([]);
        seen.add(name);
      }
    },
  );

  test('an index: after the rows of its table, beside other indexes of it', () => {
    const index = sqlOf('INDEX public.evt_2024_ts_idx');

    expect(index.after).toEqual(expect.arrayContaining(namesOf(rowsOf('evt_2024'))));
    expect(index.isExclusive).toBe(false);
  });

  test('a primary key: after the rows of its table, and nothing else works on the table meanwhile', () => {
    const key = sqlOf('CONSTRAINT public.docs docs_pkey');

    expect(key.after).toEqual(namesOf(rowsOf('docs')));
    expect(key.isExclusive).toBe(true);
    expect(key.tables).toEqual(rowsOf('docs').flatMap(({ tables }) => tables));
  });

  test('a foreign key: after the rows of both tables and the key that it refers to, with both tables for itself', () => {
    const key = sqlOf('FK CONSTRAINT public.child child_doc_fkey');

    expect(key.after.toSorted()).toEqual(
      [
        ...namesOf(rowsOf('child')),
        ...namesOf(rowsOf('docs')),
        sqlOf('CONSTRAINT public.docs docs_pkey').name,
      ].toSorted(),
    );
    expect(key.tables).toEqual(
      expect.arrayContaining([...rowsOf('child'), ...rowsOf('docs')].flatMap(({ tables }) => tables)),
    );
    expect(key.isExclusive).toBe(true);
  });

  test('an index of a partition is attached after both indexes are there', () => {
    expect(sqlOf('INDEX ATTACH public.evt_2024_ts_idx').after).toEqual(
      expect.arrayContaining([sqlOf('INDEX public.evt_2024_ts_idx').name, sqlOf('INDEX public.evt_ts_idx').name]),
    );
  });

  test('rows: they wait for nothing, and a table that this restore makes is emptied first', () => {
    for (const task of tasks.filter(({ kind }) => kind === 'rows')) {
      expect(task).toMatchObject({ after: [], isExclusive: false, step: { isWholeOfOwnTable: true } });
    }
  });

  test('rows into tables that are there: no table is emptied', () => {
    const rows = tasksOf(archive, 4, 'data-only').filter(({ kind }) => kind === 'rows');

    expect(rows).toHaveLength(17);
    expect(rows.filter((task) => task.kind === 'rows' && task.step.isWholeOfOwnTable)).toEqual([]);
  });

  test('values of sequences: among the tasks; refreshes, privileges and event triggers: not', () => {
    const kinds = new Set(tasks.flatMap((task) => (task.kind === 'sql' ? [task.entry.desc] : [])));

    expect(kinds).toContain('SEQUENCE SET');
    for (const later of ['MATERIALIZED VIEW DATA', 'ACL', 'DEFAULT ACL', 'EVENT TRIGGER', 'TABLE']) {
      expect(kinds).not.toContain(later);
    }
  });

  test('large objects: in steps that wait for nothing; without rows none', () => {
    const large = tasks.filter(({ kind }) => kind === 'large objects');

    expect(large.map((task) => task.kind === 'large objects' && task.step.objects.length)).toEqual([30]);
    expect(large[0]?.after).toEqual([]);
    expect(tasksOf(archive, 4, 'schema-only').filter(({ kind }) => kind !== 'sql')).toEqual([]);
  });

  describe('a table that is larger than all others together', () => {
    const large = openedArchive('15', { ranges: { docs: 3, gen: 2 }, bytes: { docs: 100_000 } });

    test('several sessions: it is loaded in parts, none of which empties it, and its key waits for all of them', () => {
      const all = tasksOf(large, 2);

      const parts = rowsOf('docs', all);
      expect(parts.map((task) => task.kind === 'rows' && [task.step.ranges, task.step.isWholeOfOwnTable])).toEqual([
        [[0], false],
        [[1], false],
        [[2], false],
      ]);
      expect(sqlOf('CONSTRAINT public.docs docs_pkey', all, large).after).toEqual(namesOf(parts));
      expect(rowsOf('gen', all)).toHaveLength(1);
    });

    test('more ranges than two for each session: neighbours go together, each range once and in order', () => {
      const many = openedArchive('15', { ranges: { docs: 11 }, bytes: { docs: 100_000 } });

      const steps = rowsOf('docs', tasksOf(many, 2)).map((task) => (task.kind === 'rows' ? task.step.ranges : []));
      expect(steps).toHaveLength(4);
      expect(steps.flat()).toEqual(Array.from({ length: 11 }, (_, index) => index));
    });

    test('a table that no session could load in one step: it is parted, also with one session', () => {
      const equal = openedArchive('15', { ranges: { docs: 4, gen: 4 }, bytes: { docs: 100_000, gen: 100_000 } });

      expect(rowsOf('gen', tasksOf(equal, 1, 'all', 200_000))).toMatchObject([
        { step: { ranges: [0, 1], isWholeOfOwnTable: false } },
        { step: { ranges: [2, 3], isWholeOfOwnTable: false } },
      ]);
    });

    test('one session: it is loaded whole', () => {
      expect(rowsOf('docs', tasksOf(large, 1)).map((task) => task.kind === 'rows' && task.step.ranges)).toEqual([
        [0, 1, 2],
      ]);
    });
  });

  test('a table that the manifest does not have, or under another key: damage by name', () => {
    const { manifest } = archive;
    const without = {
      ...archive,
      manifest: { ...manifest, tables: manifest.tables.filter(({ name }) => name !== 'docs') },
    };
    const moved = {
      ...archive,
      manifest: {
        ...manifest,
        tables: manifest.tables.map((one) => (one.name === 'docs' ? { ...one, key: 'elsewhere' } : one)),
      },
    };

    expect(() => tasksOf(without)).toThrow(/rows of table "public"\."docs": manifest not in the manifest/);
    expect(() => tasksOf(moved)).toThrow(/rows of table "public"\."docs": manifest elsewhere/);
  });
});
