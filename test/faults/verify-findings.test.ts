import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import {
  readVerifications,
  type Verification,
  verifiedState,
  verifiedTables,
} from '../../functions/shared/verification.ts';
import { change, changeBoth, flip, key, table } from '../support/damage-archive.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { makeArchive, member, type StoredArchive, sha256, storeArchive } from '../support/stored-archive.ts';
import { clientsWith, listing, type VerifyOptions, verify } from '../support/verify-job.ts';

let aws: LocalAws;
let options: VerifyOptions;
const fakes: string[] = [];
let backups = 0;

beforeAll(async () => {
  aws = await startLocalAws();
  options = { database: 'orders', clients: inject('cluster').clientDirectory };
});

afterAll(async () => {
  for (const folder of fakes) rmSync(folder, { recursive: true, force: true });
  await aws.stop();
});

type Codec = 'gzip' | 'zstd';

function nextArchive(codec: Codec = 'gzip', seed = 1): StoredArchive {
  backups += 1;
  const backupId = `20261122T02${String(backups).padStart(4, '0')}Z`;
  return makeArchive({ database: 'orders', backupId, codec, seed });
}

/** pg_restore 15 reads no zstd; what this one prints is what 16 prints of the archive. */
function optionsFor(codec: Codec): VerifyOptions {
  if (codec === 'gzip') return options;
  const clients = clientsWith(listing(12, 5));
  fakes.push(clients);
  return { ...options, clients };
}

async function evidenceOf({ manifest }: StoredArchive): Promise<Verification[]> {
  return await readVerifications(createObjectStore(BUCKET), 'orders', manifest.backupId);
}

/** Stores the archive after `damage`, verifies it, and gives the one piece of evidence with the failure. */
async function findings(damage: (archive: StoredArchive) => void, codec: Codec = 'gzip') {
  const archive = nextArchive(codec);
  damage(archive);
  await storeArchive(createObjectStore(BUCKET), archive);
  const failure = await verify(optionsFor(codec), { backupId: archive.manifest.backupId }).then(
    (result) => {
      throw new Error(`a false success: ${JSON.stringify(result)}`);
    },
    (error: unknown) => error,
  );
  if (!(failure instanceof JobFailure)) throw failure;
  expect(failure.code).toBe('verify.damaged');
  const [evidence] = await evidenceOf(archive);
  expect(evidence?.outcome).toBe('damaged');
  expect(verifiedState(archive.manifest, evidence ? [evidence] : [])).toBe('broken');
  return (evidence?.findings ?? []).map(({ object, problem }) => `${object}: ${problem}`);
}

describe.each<Codec>(['gzip', 'zstd'])('an archive stored with %s', (codec) => {
  test('nothing is damaged: ok, with the rows, the digests and the size of all that was read in the evidence', async () => {
    const archive = nextArchive(codec);
    await storeArchive(createObjectStore(BUCKET), archive);

    const result = await verify(optionsFor(codec), { backupId: archive.manifest.backupId });

    const rows = archive.manifest.tables.reduce((sum, one) => sum + one.rows, 0);
    const bytes = archive.manifest.objects.reduce((sum, one) => sum + one.bytes, 0);
    const objects = archive.manifest.objects.length;
    expect(result).toMatchObject({ outcome: 'ok', state: 'verified', tables: 5, rows, objects, bytes, sample: null });
    const evidence = await evidenceOf(archive);
    expect(evidence).toHaveLength(1);
    expect(evidence[0]).toMatchObject({ outcome: 'ok', findings: [], findingCount: 0, largeObjects: null });
    const digests = verifiedTables(archive.manifest, evidence) ?? [];
    expect(digests.map(({ name, rows: ofTable }) => [name, ofTable])).toEqual(
      archive.manifest.tables.map((one) => [one.name, one.rows]),
    );
    const emptyRow = BigInt(`0x${sha256('').slice(0, 32)}`);
    expect(digests[3]?.digest).toBe(
      BigInt.asUintN(128, emptyRow * 3n)
        .toString(16)
        .padStart(32, '0'),
    );
    expect(digests[2]?.digest).toBe('0'.repeat(32));
  });

  test('a bit of a range is flipped: the SHA-256 of exactly that range, and what it did to the text', async () => {
    const found = await findings((archive) => {
      const second = table(archive, 'orders').ranges[1];
      change(archive, codec === 'gzip' ? '100.dat.gz' : '100.dat.zst', flip((second?.offset ?? 0) + 12));
    }, codec);

    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^archive\/100\.dat\.(gz|zst): range 2 of 4, from byte \d+: .*SHA-256 of the stored bytes: [0-9a-f]{64}, must be [0-9a-f]{64}/,
    );
  });

  test('an object is cut in the middle of its last range: its size and the range that is not whole', async () => {
    const found = await findings((archive) => {
      const last = table(archive, 'orders').ranges[3];
      change(archive, codec === 'gzip' ? '100.dat.gz' : '100.dat.zst', (bytes) =>
        bytes.subarray(0, (last?.offset ?? 0) + 30),
      );
    }, codec);

    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/it has \d+ bytes; it must have \d+$/);
    expect(found[1]).toMatch(
      /range 4 of 4, from byte \d+: the (gzip|zstd) member from stored byte \d+ on cannot be decoded: unexpected end of file.*stored bytes: 30, must be \d+/,
    );
  });

  test('the tail member holds something else, or is cut, or is followed by another byte: told as the tail', async () => {
    const name = codec === 'gzip' ? '101.dat.gz' : '101.dat.zst';
    const other = await findings((archive) => {
      const { offset = 0, length = 0 } = table(archive, 'notes').ranges[0] ?? {};
      changeBoth(archive, name, (bytes) =>
        Buffer.concat([bytes.subarray(0, offset + length), member(codec, '\\.\n\n')]),
      );
    }, codec);
    const cut = await findings((archive) => changeBoth(archive, name, (bytes) => bytes.subarray(0, -1)), codec);
    const followed = await findings(
      (archive) => changeBoth(archive, name, (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
      codec,
    );

    expect(other).toEqual([expect.stringMatching(/tail member, from byte \d+: it does not hold the closing mark/)]);
    expect(cut).toEqual([expect.stringMatching(/tail member, from byte \d+: .*unexpected end of file/)]);
    expect(followed).toEqual([expect.stringMatching(/tail member, from byte \d+: .*cannot be decoded/)]);
  });

  test('a large object is altered: its SHA-256; no consequence is told besides', async () => {
    const found = await findings(
      (archive) => change(archive, codec === 'gzip' ? 'blob_9.dat.gz' : 'blob_9.dat.zst', flip(14)),
      codec,
    );

    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^archive\/blob_9\.dat\.(gz|zst): .*SHA-256 of the stored bytes: /);
  });
});

describe('what lies in the bucket', () => {
  test('an object is lost: told as not there, and of a table its ranges, too', async () => {
    const lost = await findings((archive) => archive.objects.delete(key(archive, 'blob_50001.dat.gz')));
    const lostTable = await findings((archive) => archive.objects.delete(key(archive, '101.dat.gz')));
    const lostToc = await findings((archive) => archive.objects.delete(key(archive, 'toc.dat')));
    const lostGlobals = await findings((archive) => {
      archive.objects.delete(backupKeys('orders', archive.manifest.backupId).globals);
    });

    expect(lost).toEqual([
      'archive/blob_50001.dat.gz: there is no such object',
      'archive/blob_50001.dat.gz: there is no such object',
    ]);
    expect(lostTable).toEqual([
      'archive/101.dat.gz: there is no such object',
      'archive/101.dat.gz: range 1 of 1, from byte 0: there is no such object',
    ]);
    expect(lostToc).toEqual(['archive/toc.dat: there is no such object']);
    expect(lostGlobals).toEqual(['globals.sql: there is no such object']);
  });

  test('an object that nobody knows lies in the archive: told', async () => {
    const found = await findings((archive) => archive.objects.set(key(archive, '999.dat.gz'), Buffer.from('x')));

    expect(found).toEqual(['archive/999.dat.gz: it lies in the archive (1 bytes) but not in the manifest']);
  });

  test('globals.sql is altered: its SHA-256', async () => {
    const found = await findings((archive) => {
      archive.objects.set(backupKeys('orders', archive.manifest.backupId).globals, Buffer.from('CREATE ROLE abb;\n'));
    });

    expect(found).toEqual([expect.stringMatching(/^globals\.sql: SHA-256: [0-9a-f]{64}, must be [0-9a-f]{64}$/)]);
  });

  test.each([
    ['altered', '{"inventoryVersion":2}\n', [/^inventory\.json: SHA-256: [0-9a-f]{64}, must be [0-9a-f]{64}$/]],
    ['cut', '{"invent', [/^inventory\.json: it has 8 bytes; it must have 23$/, /^inventory\.json: SHA-256: /]],
    ['lost', undefined, [/^inventory\.json: there is no such object$/]],
  ])('inventory.json is %s: what is found', async (_, stored, told) => {
    const found = await findings((archive) => {
      const { inventory } = backupKeys('orders', archive.manifest.backupId);
      const body = Buffer.from('{"inventoryVersion":1}\n');
      archive.manifest.objects.push({ key: inventory, bytes: body.length, etag: '', sha256: sha256(body) });
      if (stored !== undefined) archive.objects.set(inventory, Buffer.from(stored));
    });

    expect(found).toEqual(told.map((one) => expect.stringMatching(one)));
  });
});

describe('the table of contents', () => {
  test('a byte of it is altered: its SHA-256, and pg_restore is not let at it', async () => {
    const found = await findings((archive) => change(archive, 'toc.dat', flip(40)));

    expect(found[0]).toMatch(/^archive\/toc\.dat: SHA-256: /);
    expect(found.join()).not.toContain('pg_restore');
  });

  test('it is cut, and the manifest with it: refused as a table of contents', async () => {
    const found = await findings((archive) => changeBoth(archive, 'toc.dat', (bytes) => bytes.subarray(0, -7)));

    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^archive\/toc\.dat: .*the archive ended before the table of contents was whole/);
  });

  test('it is of other tables and sequences than the manifest: each is told from both sides', async () => {
    const other = makeArchive({
      database: 'orders',
      backupId: '20261122T020000Z',
      codec: 'gzip',
      seed: 1,
      tables: ['orders', 'notes', 'empty', 'no columns', 'other'].map((name) => ({ name, ranges: [''] })),
    });
    const found = await findings((archive) => {
      changeBoth(archive, 'toc.dat', () => other.objects.get(key(other, 'toc.dat')) ?? Buffer.alloc(0));
      Object.assign(archive.manifest.sequences[0] ?? {}, { lastValue: '41' });
    });

    expect(found).toHaveLength(4);
    expect(found[0]).toMatch(/entry 104, rows of "app"."half empty" in ".*" is in the manifest but not here/);
    expect(found[1]).toMatch(/entry 104, rows of "app"."other" in ".*" is here but not in the manifest/);
    expect(found[2]).toMatch(/sequence "app"."numbers" at 41 is in the manifest but not here/);
    expect(found[3]).toMatch(/sequence "app"."numbers" at 42 is here but not in the manifest/);
  });

  test('it declares another codec and version than the manifest: told', async () => {
    const found = await findings((archive) => Object.assign(archive.manifest, { archiveVersion: '1.15' }));

    expect(found).toEqual([
      'archive/toc.dat: it declares directory, gzip, version 1.14; the manifest says directory, gzip, version 1.15',
    ]);
  });

  test('stock pg_restore refuses it, or counts other entries: told with its words', async () => {
    const archive = nextArchive();
    await storeArchive(createObjectStore(BUCKET), archive);
    const event = { backupId: archive.manifest.backupId };
    const refusing = clientsWith('echo "pg_restore: error: did not find magic string" >&2; exit 1');
    const counting = clientsWith(listing(11, 5));
    fakes.push(refusing, counting);

    await expect(verify({ ...options, clients: refusing }, event)).rejects.toThrow(
      /pg_restore 15\.18 --list refuses it: "pg_restore: error: did not find magic string"/,
    );
    await expect(verify({ ...options, clients: counting }, event)).rejects.toThrow(
      /--list shows 11 entries and 5 tables with rows; it must be 12 and 5/,
    );
  });
});

describe('the numbers of the manifest', () => {
  test('one of a range is wrong: exactly that one is told', async () => {
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ sha256: '0'.repeat(64) }, /: SHA-256 of the stored bytes: [0-9a-f]{64}, must be 0{64}$/],
      [{ crc32: '00000000' }, /: CRC-32 of the COPY text: [0-9a-f]{8}, must be 00000000$/],
    ];
    for (const [numbers, problem] of wrong) {
      const found = await findings((archive) => Object.assign(table(archive, 'orders').ranges[2] ?? {}, numbers));
      expect(found).toEqual([expect.stringMatching(/^archive\/100\.dat\.gz: range 3 of 4, from byte \d+: /)]);
      expect(found[0]).toMatch(problem);
    }
    const rows = await findings((archive) => {
      Object.assign(table(archive, 'notes').ranges[0] ?? {}, { rows: 16 });
      table(archive, 'notes').rows = 16;
    });
    const bytes = await findings((archive) => (table(archive, 'notes').bytes += 1));
    expect(rows).toEqual(['archive/101.dat.gz: range 1 of 1, from byte 0: rows: 15, must be 16']);
    expect(bytes).toEqual([
      expect.stringMatching(/^archive\/101\.dat\.gz: the ranges have \d+ bytes; the table says \d+$/),
    ]);
  });

  test('a range is gone from the archive and from the manifest alike: the gap in blocks tells it', async () => {
    const found = await findings((archive) => {
      const orders = table(archive, 'orders');
      const [lost] = orders.ranges.splice(1, 1);
      const { offset = 0, length = 0 } = lost ?? {};
      orders.rows -= lost?.rows ?? 0;
      orders.bytes -= lost?.bytes ?? 0;
      for (const range of orders.ranges.slice(1)) range.offset -= length;
      changeBoth(archive, '100.dat.gz', (stored) =>
        Buffer.concat([stored.subarray(0, offset), stored.subarray(offset + length)]),
      );
    });

    expect(found).toEqual(['archive/100.dat.gz: range 2 of 3 begins at block 20; it must be 10']);
  });

  test('the last range is gone from both: the ranges do not reach the end of the table', async () => {
    const found = await findings((archive) => {
      const orders = table(archive, 'orders');
      const lost = orders.ranges.pop();
      const { offset = 0, length = 0 } = lost ?? {};
      orders.rows -= lost?.rows ?? 0;
      orders.bytes -= lost?.bytes ?? 0;
      changeBoth(archive, '100.dat.gz', (stored) =>
        Buffer.concat([stored.subarray(0, offset), stored.subarray(offset + length)]),
      );
    });

    expect(found).toEqual(['archive/100.dat.gz: the ranges end at block 30; they must go to the end of the table']);
  });

  test('two ranges are swapped in the object: both are told', async () => {
    const found = await findings((archive) => {
      const [, second, third] = table(archive, 'orders').ranges;
      const [a, b, end] = [second?.offset ?? 0, third?.offset ?? 0, (third?.offset ?? 0) + (third?.length ?? 0)];
      change(archive, '100.dat.gz', (stored) =>
        Buffer.concat([stored.subarray(0, a), stored.subarray(b, end), stored.subarray(a, b), stored.subarray(end)]),
      );
    });

    expect(found).toEqual([expect.stringMatching(/range 2 of 4/), expect.stringMatching(/range 3 of 4/)]);
  });

  test('the contents of the large objects are others than the manifest counts: told once for all', async () => {
    const found = await findings((archive) => (archive.manifest.largeObjects.bytes += 1));

    expect(found).toEqual([
      expect.stringMatching(
        /^archive\/blobs\.toc: all large objects together: there are 4 large objects of \d+ bytes with SHA-256 [0-9a-f]{64}; it must be 4 large objects of /,
      ),
    ]);
  });

  test('the list of large objects names another one: told against toc.dat and against the manifest', async () => {
    const found = await findings((archive) =>
      changeBoth(archive, 'blobs.toc', (list) => Buffer.from(list.toString().replaceAll('50003', '50004'))),
    );

    expect(found).toEqual([
      'archive/blobs.toc: 1 large objects of toc.dat are missing, the first is 50003',
      'archive/blobs.toc: 1 large objects are not in toc.dat, the first is 50004',
      'archive/blobs.toc: all lists together: 1 large objects of the manifest are missing, the first is 50003',
      'archive/blobs.toc: all lists together: 1 large objects are not in the manifest, the first is 50004',
    ]);
  });

  test('the list of large objects has a line of another form: the line is told', async () => {
    const found = await findings((archive) =>
      changeBoth(archive, 'blobs.toc', (list) => Buffer.from(list.toString().replace('blob_50003', 'blob_50004'))),
    );

    expect(found).toEqual(['archive/blobs.toc: line 2 is not "<OID> blob_<OID>.dat" with a newline']);
  });

  test('it names an object that is no part of a backup, and one twice: told', async () => {
    const found = await findings((archive) => {
      const stray = key(archive, 'notes.txt');
      archive.manifest.objects.push({ key: stray, bytes: 1, etag: '', sha256: null });
      archive.manifest.objects.push({
        ...archive.manifest.objects[0],
        bytes: 1,
        etag: '',
        sha256: null,
        key: key(archive, '100.dat.gz'),
      });
    });

    expect(found.join('\n')).toContain('archive/100.dat.gz: it is in the manifest more than once');
    expect(found.join('\n')).toContain('archive/notes.txt: it is in the manifest but no part of the backup');
  });
});
