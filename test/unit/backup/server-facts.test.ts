import { describe, expect, test } from 'vitest';
import { readFreeConnections, readServerFacts } from '../../../functions/backup/snapshot/server-facts.ts';

const noCopy = () => {
  throw new Error('no COPY here');
};

/** A session whose every query gives one row; the query itself is run on real servers by the tests of the backup. */
const sessionWith = (row: object) => ({
  processId: 1,
  query: async () => ({ rows: [row as never], rowCount: 1 }),
  copyOut: noCopy,
  copyIn: noCopy,
});

const server = {
  version: '15.18',
  major: 15,
  aurora: false,
  server_id: '7',
  encoding: 'UTF8',
  snapshot: '1:1:',
  taken_at: new Date(0),
  started_at: '2026-01-01',
  address: 'local',
};

describe('readServerFacts', () => {
  test.each(['0', '60min', '1d'])(
    'old_snapshot_threshold is %s: refused, the server may forget rows',
    async (value) => {
      await expect(readServerFacts(sessionWith({ ...server, old_snapshot_threshold: value }))).rejects.toThrow(
        `old_snapshot_threshold of the server is "${value}" but must be -1`,
      );
    },
  );

  test.each(['-1', null])('old_snapshot_threshold is %s (null: the server has none): taken', async (value) => {
    const facts = await readServerFacts(sessionWith({ ...server, old_snapshot_threshold: value }));

    expect(facts.server).toMatchObject({ version: '15.18', snapshot: '1:1:', address: 'local' });
  });
});

describe('readFreeConnections', () => {
  test('more sessions are open than allowed: none is free, never a negative number', async () => {
    expect(await readFreeConnections(sessionWith({ free: -3 }))).toBe(0);
  });
});
