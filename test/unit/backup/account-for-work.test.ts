import { describe, expect, test } from 'vitest';
import { accountForWork } from '../../../functions/backup/finish/account-for-work.ts';
import type { BackupPlan, CopiedRange, CopiedWork } from '../../../functions/backup/plan/plan-contract.ts';

const SHA = '0'.repeat(64);

function plan(more: Partial<BackupPlan> = {}): BackupPlan {
  const table = {
    schema: 'app',
    oid: 1,
    relfilenode: 1,
    blocks: 20,
    columns: [],
    condition: null,
    partBytes: 8_388_608,
  };
  const ranges: BackupPlan['tables'][number]['ranges'] = [
    { blocks: [0, 10], firstPart: 1, parts: 5_000, estimatedBytes: 1 },
    { blocks: [10, null], firstPart: 5_001, parts: 5_000, estimatedBytes: 1 },
  ];
  return {
    planVersion: 1,
    database: 'shop',
    backupId: '20261122T020000Z',
    executionId: 'run-1',
    trigger: 'schedule',
    scheduledTime: '2026-11-22T02:00:00.000Z',
    takenAt: '2026-11-22T02:00:01.000Z',
    server: {
      version: '15.18',
      major: 15,
      aurora: false,
      serverId: '1',
      encoding: 'UTF8',
      snapshot: '1:1:',
      startedAt: '2026-01-01',
      address: 'local',
    },
    clientVersion: '15.18',
    archiveVersion: '1.14',
    codec: 'gzip',
    tables: [
      { ...table, name: 'big', dumpId: 7, key: 'big', uploadId: 'upload', rowSecurity: 'off', ranges },
      { ...table, name: 'small', dumpId: 8, key: 'small', uploadId: null, rowSecurity: 'off', ranges: ranges.slice(1) },
    ],
    largeObjects: [{ oids: [50, 51], estimatedBytes: 1 }],
    groups: [],
    sequences: [],
    excluded: [],
    readByPolicy: [],
    notSeen: [],
    extensions: [],
    roles: [],
    stored: [],
    ...more,
  };
}

function range(dumpId: number, blocks: CopiedRange['blocks'], more: Partial<CopiedRange> = {}): CopiedRange {
  const parts = [{ partNumber: blocks[0] + 1, etag: 'e', bytes: 10 }];
  const upload = { uploadId: 'upload', parts };
  return {
    dumpId,
    blocks,
    rows: 1,
    bytes: 1,
    crc32: '00000000',
    sha256: SHA,
    length: 10,
    upload,
    object: null,
    ...more,
  };
}

const small = range(8, [0, null], {
  upload: null,
  object: { key: 'small', bytes: 10, etag: 'e', sha256: null },
});
const largeObject = (oid: number) => ({
  oid,
  bytes: 1,
  sha256: SHA,
  object: { key: `blob_${oid}`, bytes: 1, etag: 'e', sha256: SHA },
});

function work(more: Partial<CopiedWork> = {}): CopiedWork {
  const ranges = [range(7, [10, null]), range(7, [0, 10]), small];
  const largeObjects = [largeObject(51), largeObject(50)];
  return { workVersion: 1, executionId: 'run-1', group: 0, pass: 1, ranges, largeObjects, remaining: [], ...more };
}

describe('accountForWork', () => {
  test('puts the ranges in the order of their blocks and large objects in order of OID', () => {
    const contents = accountForWork(plan(), [work()]);

    expect(contents.tables.map(({ ranges }) => ranges.map(({ blocks }) => blocks))).toEqual([
      [
        [0, 10],
        [10, null],
      ],
      [[0, null]],
    ]);
    expect(contents.largeObjects.map(({ oid }) => oid)).toEqual([50, 51]);
  });

  test('takes a range that was split at its deadline, from several passes', () => {
    const first = work({ ranges: [range(7, [0, 4]), small] });
    const second = work({ pass: 2, ranges: [range(7, [10, null]), range(7, [4, 10])], largeObjects: [] });

    expect(accountForWork(plan(), [second, first]).tables[0]?.ranges).toHaveLength(3);
  });

  test('takes a table that was planned as one range and split, all of it in one upload and not in two', () => {
    const halves = (second: string) => [
      range(7, [10, null]),
      range(7, [0, 10]),
      range(8, [0, 5], { upload: { uploadId: 'own', parts: [] } }),
      range(8, [5, null], { upload: { uploadId: second, parts: [] } }),
    ];

    expect(accountForWork(plan(), [work({ ranges: halves('own') })]).tables[1]?.ranges).toHaveLength(2);
    expect(() => accountForWork(plan(), [work({ ranges: halves('another') })])).toThrow(
      /does not belong to its upload/,
    );
  });

  test.each<[string, CopiedWork[], RegExp]>([
    [
      'a lost range',
      [work({ ranges: [range(7, [10, null]), small] })],
      /"big" has a range from block 10 where 0 must begin/,
    ],
    [
      'a lost last range',
      [work({ ranges: [range(7, [0, 10]), small] })],
      /rows of table "app"."big" from block 10 on were not copied/,
    ],
    [
      'a table without any range',
      [work({ ranges: [small] })],
      /rows of table "app"."big" from block 0 on were not copied/,
    ],
    [
      'a range that is there twice',
      [work(), work({ ranges: [range(7, [0, 10])], largeObjects: [] })],
      /block 0 where 10 must begin/,
    ],
    [
      'a range after the end of the table',
      [work({ ranges: [...work().ranges, range(7, [12, null])] })],
      /block 12 where no further one must begin/,
    ],
    [
      'a part number that is used twice',
      [
        work({
          ranges: [
            range(7, [0, 10]),
            range(7, [10, null], range(7, [0, 10]).upload ? { upload: range(7, [0, 10]).upload } : {}),
            small,
          ],
        }),
      ],
      /part 1 of table "app"."big" is there twice/,
    ],
    [
      'parts of another upload',
      [
        work({
          ranges: [range(7, [0, 10], { upload: { uploadId: 'other', parts: [] } }), range(7, [10, null]), small],
        }),
      ],
      /block 0 of table "app"."big" does not belong to its upload/,
    ],
    [
      'a table that was not planned',
      [work({ ranges: [...work().ranges, range(9, [0, null])] })],
      /rows of entry 9 were copied but are not in the plan/,
    ],
    [
      'a lost large object',
      [work({ largeObjects: [largeObject(50)] })],
      /1 large objects are missing, the first is 51/,
    ],
    [
      'a large object that is there twice',
      [work({ largeObjects: [largeObject(50), largeObject(50), largeObject(51)] })],
      /large object 50 is there twice/,
    ],
    ['the work of another execution', [work({ executionId: 'run-2' })], /another execution/],
    ['no work at all', [], /from block 0 on were not copied/],
  ])('refuses %s', (_, works, problem) => {
    expect(() => accountForWork(plan(), works)).toThrow(problem);
    expect(() => accountForWork(plan(), works)).toThrow(expect.objectContaining({ code: 'backup.incomplete' }));
  });
});
