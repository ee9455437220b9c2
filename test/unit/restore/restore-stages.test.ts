import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../functions/shared/clock.ts';
import type { Database, DatabaseSession } from '../../../functions/shared/database.ts';
import { createObjectStore } from '../../../functions/shared/object-store.ts';
import { chooseEntries } from '../../../functions/shared/restore/choose-entries.ts';
import { createProgress } from '../../../functions/shared/restore/restore-progress.ts';
import { type RestoreRun, restoreStructure } from '../../../functions/shared/restore/restore-stages.ts';
import { openedArchive } from '../../support/opened-archive.ts';

/** A server with transactions and records; `onCommit` gets the number of each commit, which has happened when it throws. */
function fakeServer(onCommit: (commit: number) => void) {
  const recorded = new Set<string>();
  const executed: string[] = [];
  let commits = 0;
  let open: { steps: string[]; statements: string[] } = { steps: [], statements: [] };
  const query = async (sql: string, values: readonly unknown[] = []) => {
    const rows: never[] = [];
    if (sql === 'begin') open = { steps: [], statements: [] };
    else if (sql === 'commit') {
      for (const step of open.steps) recorded.add(step);
      executed.push(...open.statements);
      commits += 1;
      onCommit(commits);
    } else if (sql.startsWith('insert into nightshift_restore.step')) {
      const step = String(values[0]);
      if (recorded.has(step)) throw Object.assign(new Error('duplicate key'), { code: '23505' });
      open.steps.push(step);
    } else if (sql.includes('from nightshift_restore.step')) {
      return { rows: [...recorded].map((name) => ({ name, dump_id: null })) as never[], rowCount: recorded.size };
    } else if (sql.startsWith('statement ')) open.statements.push(sql);
    return { rows, rowCount: 0 };
  };
  const session: DatabaseSession = {
    processId: 0,
    query,
    copyIn: async () => ({ rows: 0 }),
    copyOut: async () => ({ rows: 0 }),
  };
  const database = {
    withSession: async <T>(use: (one: DatabaseSession) => Promise<T>) => await use(session),
  } as Database;
  return { database, executed };
}

function structureRun(target: Database): RestoreRun {
  const archive = openedArchive('15');
  const chosen = chooseEntries(archive, { schemas: [], tables: [], part: 'all' });
  const store = createObjectStore('none');
  const { signal } = new AbortController();
  const source = { store, clock: systemClock, signal, onBytes: () => {} };
  const { manifest } = archive;
  const statements = new Map(chosen.entries.map(({ dumpId }) => [dumpId, `statement ${dumpId}`]));
  return {
    request: {
      store,
      clock: systemClock,
      archive,
      tools: { directory: 'none', version: '15.18', major: 15 },
      target,
      serverMajor: 15,
      selection: { schemas: [], tables: [], part: 'all' },
      options: {
        noOwner: false,
        noPrivileges: false,
        noTablespaces: false,
        jobs: 1,
        allowNonEmpty: false,
        skipForbidden: false,
        outlivesClient: false,
        keepRecords: false,
      },
      pause: signal,
      signal,
      onProgress: () => {},
    },
    archive,
    chosen,
    script: { settings: [], statements },
    source,
    done: new Set(),
    statements: {
      backupId: manifest.backupId,
      statements,
      skipForbidden: false,
      leftOut: new Set(),
      hasRecords: true,
      lastWords: [],
    },
    progress: createProgress(() => {}),
  };
}

describe('restoreStructure', () => {
  test('every definition before the rows: once, in the order of the archive', async () => {
    const { database, executed } = fakeServer(() => {});
    const run = structureRun(database);

    await restoreStructure(run);

    const expected = run.chosen.entries.filter(
      ({ section, desc }) => section === 'pre-data' && !/^(ACL|DEFAULT ACL)$/.test(desc),
    );
    expect(executed.length).toBeGreaterThan(60);
    expect(executed).toEqual(expect.arrayContaining(expected.map(({ dumpId }) => `statement ${dumpId}`)));
    expect(new Set(executed).size).toBe(executed.length);
  });

  test('the session is lost after a commit, before its answer: it goes on after it, and nothing is done twice', async () => {
    const whole = fakeServer(() => {});
    await restoreStructure(structureRun(whole.database));
    const { database, executed } = fakeServer((commit) => {
      if (commit === 1) throw new Error('Connection terminated unexpectedly');
    });

    await restoreStructure(structureRun(database));

    expect(executed).toEqual(whole.executed);
  });

  test('every session is lost: given up with that error', async () => {
    const { database } = fakeServer(() => {});
    const lost = { ...database, withSession: async () => await Promise.reject(new Error('Connection terminated')) };

    await expect(restoreStructure(structureRun(lost))).rejects.toThrow('Connection terminated');
  });
});
