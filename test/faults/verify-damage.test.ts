import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { readVerifications } from '../../functions/shared/verification.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import {
  CLOSING_MARK,
  makeArchive,
  member,
  type StoredArchive,
  seededRandom,
  storeArchive,
} from '../support/stored-archive.ts';
import { rounds } from '../support/test-size.ts';
import { clientsWith, listing, type VerifyOptions, verify, verifyStep } from '../support/verify-job.ts';

/** 30 places in the short size, 200 in the full one. */
const PLACES = rounds * 10;
const SEED = 20_261_122;

let aws: LocalAws;
let options: VerifyOptions;
let clientsOf16: string;

beforeAll(async () => {
  aws = await startLocalAws();
  options = { database: 'orders', clients: inject('cluster').clientDirectory };
  clientsOf16 = clientsWith(listing(12, 5));
});

afterAll(async () => {
  rmSync(clientsOf16, { recursive: true, force: true });
  await aws.stop();
});

type Random = (below: number) => number;
type Damage = (archive: StoredArchive, random: Random) => string;

function pick<T>(random: Random, list: readonly T[]): T {
  const one = list[random(list.length)];
  if (one === undefined) throw new RangeError('nothing to choose from');
  return one;
}

function bytesOf(archive: StoredArchive, key: string): Buffer {
  return Buffer.from(archive.objects.get(key) ?? '');
}

/** Where the tail member of a table begins; the end of any other object. */
function dataEnd(archive: StoredArchive, key: string): number {
  const last = archive.manifest.tables.find((table) => table.key === key)?.ranges.at(-1);
  return last === undefined ? bytesOf(archive, key).length : last.offset + last.length;
}

function storedRanges(archive: StoredArchive) {
  return archive.manifest.tables.flatMap(({ key, ranges }) => {
    const stored = ranges.filter(({ length }) => length > 0);
    return stored.length > 1 ? [{ key, ranges: stored }] : [];
  });
}

/** The head of a tail member has bits that no reader looks at; 10 bytes of gzip, fewer of zstd. */
const TAIL_HEAD_BYTES = 10;

const damages: Record<string, Damage> = {
  'bit flip': (archive, random) => {
    const key = pick(random, [...archive.objects.keys()]);
    const bytes = bytesOf(archive, key);
    const end = dataEnd(archive, key);
    const tail = Math.max(0, bytes.length - end - TAIL_HEAD_BYTES);
    const place = random(end + tail);
    const at = place < end ? place : place + TAIL_HEAD_BYTES;
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random(8)), at);
    archive.objects.set(key, bytes);
    return `${key} at byte ${at}`;
  },
  truncation: (archive, random) => {
    const key = pick(random, [...archive.objects.keys()]);
    const bytes = bytesOf(archive, key);
    const left = random(bytes.length);
    archive.objects.set(key, bytes.subarray(0, left));
    return `${key} to ${left} bytes`;
  },
  'lost range': (archive, random) => {
    const { key, ranges } = pick(random, storedRanges(archive));
    const { offset, length } = pick(random, ranges);
    const bytes = bytesOf(archive, key);
    archive.objects.set(key, Buffer.concat([bytes.subarray(0, offset), bytes.subarray(offset + length)]));
    return `${key} from byte ${offset}`;
  },
  'swapped ranges': (archive, random) => {
    const { key, ranges } = pick(random, storedRanges(archive));
    const first = random(ranges.length - 1);
    const [a, b] = ranges.slice(first);
    if (!a || !b) throw new RangeError('two ranges are needed');
    const bytes = bytesOf(archive, key);
    const end = b.offset + b.length;
    const parts = [bytes.subarray(0, a.offset), bytes.subarray(b.offset, end), bytes.subarray(a.offset, b.offset)];
    archive.objects.set(key, Buffer.concat([...parts, bytes.subarray(end)]));
    return `${key} at byte ${a.offset}`;
  },
  'lost object': (archive, random) => {
    const key = pick(random, [...archive.objects.keys()]);
    archive.objects.delete(key);
    return key;
  },
  'extra object': (archive, random) => {
    const { archiveFile } = backupKeys('orders', archive.manifest.backupId);
    const key = archiveFile(
      pick(random, ['999.dat.gz', 'blob_77.dat.gz', 'toc.dat.old', '100.dat', 'deeper/100.dat.gz']),
    );
    archive.objects.set(key, Buffer.from('x'));
    return key;
  },
  'lost large object': (archive, random) => {
    const ofBlobs = [...archive.objects.keys()].filter((key) => key.includes('/blob_'));
    const key = pick(random, ofBlobs);
    archive.objects.delete(key);
    archive.manifest.objects = archive.manifest.objects.filter((object) => object.key !== key);
    return `${key}, and from the manifest`;
  },
  'wrong tail': (archive, random) => {
    const { key } = pick(random, archive.manifest.tables);
    const wrong = pick(random, [
      '',
      '\\.\n',
      '\\.\n\n',
      `${CLOSING_MARK}\n`,
      `x${CLOSING_MARK}`,
      CLOSING_MARK.repeat(2),
    ]);
    const data = bytesOf(archive, key).subarray(0, dataEnd(archive, key));
    const bytes = Buffer.concat([data, wrong === '' ? Buffer.alloc(0) : member(archive.manifest.codec, wrong)]);
    archive.objects.set(key, bytes);
    const listed = archive.manifest.objects.find((object) => object.key === key);
    if (listed) listed.bytes = bytes.length;
    return `${key}: ${JSON.stringify(wrong)}`;
  },
  'wrong number': (archive, random) => {
    const { manifest } = archive;
    const table = pick(random, manifest.tables);
    const range = pick(random, table.ranges);
    const object = pick(random, manifest.objects);
    const sequence = pick(random, manifest.sequences);
    const hex = (text: string) => `${text.startsWith('0') ? '1' : '0'}${text.slice(1)}`;
    const name = pick(random, Object.keys(wrongNumbers));
    wrongNumbers[name]?.({ manifest, table, range, object, sequence, hex });
    return name;
  },
};

interface Numbers {
  manifest: StoredArchive['manifest'];
  table: StoredArchive['manifest']['tables'][number];
  range: StoredArchive['manifest']['tables'][number]['ranges'][number];
  object: StoredArchive['manifest']['objects'][number];
  sequence: StoredArchive['manifest']['sequences'][number];
  /** Another hexadecimal number of the same length. */
  hex: (text: string) => string;
}

const wrongNumbers: Record<string, (numbers: Numbers) => void> = {
  'rows of a range': ({ range }) => (range.rows += 1),
  'rows of a range and its table': ({ range, table }) => {
    range.rows += 1;
    table.rows += 1;
  },
  'bytes of a range and its table': ({ range, table }) => {
    range.bytes += 1;
    table.bytes += 1;
  },
  'CRC of a range': ({ range, hex }) => (range.crc32 = hex(range.crc32)),
  'SHA of a range': ({ range, hex }) => (range.sha256 = hex(range.sha256)),
  'offset of a range': ({ range }) => (range.offset += 1),
  'length of a range': ({ range }) => (range.length += 1),
  'block of a range': ({ range }) => (range.blocks[0] += 1),
  'rows of a table': ({ table }) => (table.rows += 1),
  'number of an entry': ({ table }) => (table.dumpId += 50),
  'name of a table': ({ table }) => (table.name += 's'),
  'bytes of an object': ({ object }) => (object.bytes += 1),
  'SHA of an object': ({ manifest, object, hex }) => {
    const hashed = object.sha256 === null ? manifest.objects.at(-1) : object;
    if (hashed?.sha256) hashed.sha256 = hex(hashed.sha256);
  },
  'number of large objects': ({ manifest }) => (manifest.largeObjects.count += 1),
  'bytes of large objects': ({ manifest }) => (manifest.largeObjects.bytes += 1),
  'SHA of large objects': ({ manifest, hex }) => (manifest.largeObjects.sha256 = hex(manifest.largeObjects.sha256)),
  'value of a sequence': ({ sequence }) => (sequence.lastValue = '43'),
};

function archiveOf(place: number): StoredArchive {
  const backupId = new Date(Date.UTC(2026, 10, 22, 2, 0, place)).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return makeArchive({
    database: 'orders',
    backupId: `${backupId}Z`,
    codec: place % 2 === 0 ? 'gzip' : 'zstd',
    seed: SEED + place,
  });
}

async function verifyWhole({ manifest }: StoredArchive, bySteps: boolean) {
  const clients = manifest.codec === 'gzip' ? options.clients : clientsOf16;
  const { backupId } = manifest;
  if (!bySteps) return await verify({ ...options, clients }, { backupId });
  const stepped = { ...options, clients, settings: { VERIFY_INLINE_LIMIT_GIB: 0, VERIFY_STEPS: 3 } };
  const plan = await verifyStep(stepped, { step: 'plan', backupId });
  if (!('groups' in plan)) throw new TypeError('a plan was expected');
  const { verificationId } = plan;
  for (const group of plan.groups.toReversed())
    await verifyStep(stepped, { step: 'read', backupId, verificationId, group });
  return await verifyStep(stepped, { step: 'finish', backupId, verificationId });
}

const kinds = Object.keys(damages);

describe('verify', () => {
  test.each(Array.from({ length: PLACES }, (_, place) => ({ place, kind: kinds[place % kinds.length] ?? '' })))(
    '$kind at a random place ($place): found, and the evidence says damaged',
    async ({ place, kind }) => {
      const archive = archiveOf(place);
      const what = damages[kind]?.(archive, seededRandom(SEED * 2 + place));
      await storeArchive(createObjectStore(BUCKET), archive);

      const outcome = await verifyWhole(archive, Math.floor(place / 2) % 3 === 0).catch((error: unknown) => error);

      expect(outcome, `${kind}: ${what}`).toMatchObject({ code: 'verify.damaged' });
      const evidence = await readVerifications(createObjectStore(BUCKET), 'orders', archive.manifest.backupId);
      expect(evidence.map((one) => one.outcome)).toEqual(['damaged']);
    },
  );

  test.each(Array.from({ length: rounds }, (_, round) => ({ round })))(
    'nothing is damaged ($round): ok, in one run and by steps, with the same digests',
    async ({ round }) => {
      const archive = archiveOf(10_000 + round);
      await storeArchive(createObjectStore(BUCKET), archive);

      // By steps first: a verified backup leaves the steps nothing to do.
      const results = [await verifyWhole(archive, true), await verifyWhole(archive, false)];

      expect(results).toMatchObject([{ outcome: 'ok' }, { outcome: 'ok' }]);
      const evidence = await readVerifications(createObjectStore(BUCKET), 'orders', archive.manifest.backupId);
      expect(evidence).toHaveLength(2);
      expect(evidence[0]?.tables).toEqual(evidence[1]?.tables);
      expect(evidence[0]?.read).toEqual(evidence[1]?.read);
    },
  );
});
