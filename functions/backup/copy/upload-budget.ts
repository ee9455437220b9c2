// What bounds the memory of a backup: how many parts, and how many bytes of them, are on their way to S3 at a time.
// One for the whole process, shared by all of its workers.

const DEFAULT_PARTS = 4;
const DEFAULT_PART_BYTES = 8_388_608;

export interface UploadBudget {
  /**
   * Resolves when a part of so many bytes may be sent, with the function that gives its place back.
   *
   * First come, first served; a part that is larger than the whole budget is sent alone. Rejects when `signal` aborts.
   */
  acquire(bytes: number, signal: AbortSignal): Promise<() => void>;
  /** Memory of exactly this size for a part, with anything in it. */
  takeBuffer(bytes: number): Buffer;
  /** For the next part: fresh memory costs the system a page fault every 4 KiB. Only when nothing reads it any more. */
  giveBack(buffer: Buffer): void;
}

/** A budget of `maxParts` parts and `maxBytes` bytes of them; 4 parts of 8 MiB unless it is told. */
export function createUploadBudget({
  maxParts = DEFAULT_PARTS,
  maxBytes = maxParts * DEFAULT_PART_BYTES,
}: {
  maxParts?: number;
  maxBytes?: number;
} = {}): UploadBudget {
  let parts = 0;
  let bytesOut = 0;
  const waiting: { bytes: number; begin: () => void }[] = [];
  let free: Buffer[] = [];

  const fits = (bytes: number) => parts === 0 || (parts < maxParts && bytesOut + bytes <= maxBytes);

  function admit(bytes: number): () => void {
    parts += 1;
    bytesOut += bytes;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      parts -= 1;
      bytesOut -= bytes;
      admitNext();
    };
  }

  function admitNext(): void {
    for (let next = waiting[0]; next && fits(next.bytes); next = waiting[0]) {
      waiting.shift();
      next.begin();
    }
  }

  return {
    acquire: async (bytes, signal) => {
      signal.throwIfAborted();
      // Nobody overtakes: a large part would wait for ever beside workers with small ones.
      if (waiting.length === 0 && fits(bytes)) return admit(bytes);
      return await new Promise((resolve, reject) => {
        const giveUp = () => {
          const place = waiting.indexOf(entry);
          if (place !== -1) waiting.splice(place, 1);
          reject(signal.reason);
          admitNext();
        };
        const entry = {
          bytes,
          begin: () => {
            signal.removeEventListener('abort', giveUp);
            resolve(admit(bytes));
          },
        };
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.push(entry);
      });
    },
    takeBuffer: (bytes) => {
      const reused = free.pop();
      if (reused?.length === bytes) return reused;
      // Sizes change seldom (another table, a range that grows): then the old ones are of no more use.
      free = [];
      return Buffer.allocUnsafeSlow(bytes);
    },
    giveBack: (buffer) => {
      if (free.length < maxParts && (free[0]?.length ?? buffer.length) === buffer.length) free.push(buffer);
    },
  };
}
