// Version ids and upload ids that sort by time, also after a restart with a clock that went back.
// A listing that is resumed after a deleted version must know which versions come behind it.
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../functions/shared/clock.ts';

export interface IdSource {
  /** Sorts as text before all ids made earlier, as S3 lists versions newest first. */
  versionId(): string;
  /** Sorts as text behind all ids made earlier, as S3 lists uploads oldest first. */
  uploadId(): string;
  /** Takes note of an id found on disk, so that none made later contradicts its order. */
  noteId(id: string): void;
}

const digits = 10;
const ceiling = 36 ** digits;
// Room for this many ids per millisecond before the sequence runs ahead of the clock.
const perMillisecond = 1000;

/** Ids of a time part of 10 characters and a random part of 16. */
export function createIdSource(clock: Pick<Clock, 'now'>): IdSource {
  let last = 0;
  const next = () => {
    last = Math.max(last + 1, clock.now().getTime() * perMillisecond);
    return last;
  };
  const write = (sequence: number) => `${sequence.toString(36).padStart(digits, '0')}${randomBytes(8).toString('hex')}`;
  return {
    versionId: () => `v${write(ceiling - next())}`,
    uploadId: () => `u${write(next())}`,
    noteId(id) {
      const sequence = Number.parseInt(id.slice(1, digits + 1), 36);
      if (id.startsWith('u')) last = Math.max(last, sequence);
      if (id.startsWith('v')) last = Math.max(last, ceiling - sequence);
    },
  };
}
