import { describe, expect, test } from 'vitest';
import { partBytes } from '../../functions/backup/stream-upload.ts';

const MIB = 1_048_576;
/** Limits of S3 (user guide, multipart upload): 10,000 parts of 5 MiB to 5 GiB, objects of up to 5 TiB. */
const MOST_PARTS = 10_000;
const LARGEST_PART = 5 * 1024 * MIB;
const LARGEST_OBJECT = 5 * 1024 * 1024 * MIB;

describe('partBytes', () => {
  test('all 10,000 parts together: more than the largest object of S3, each within the limits', () => {
    let total = 0;
    for (let part = 1; part <= MOST_PARTS; part += 1) {
      const bytes = partBytes(part);
      expect(bytes >= 5 * MIB && bytes <= LARGEST_PART).toBe(true);
      total += bytes;
    }

    expect(total).toBeGreaterThan(LARGEST_OBJECT);
  });

  test('the first thousand parts: 8 MiB, so that four in flight take 32 MiB', () => {
    expect(partBytes(1)).toBe(8 * MIB);
    expect(partBytes(1_000)).toBe(8 * MIB);
    expect(partBytes(1_001)).toBe(16 * MIB);
  });
});
