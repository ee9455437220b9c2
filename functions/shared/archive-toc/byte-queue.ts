// Bytes that came in pieces and are taken in other pieces: between the pipe and the TOC reader, and under the TOC writer.
// Never copies a byte more than a fixed number of times, whatever the sizes of the pieces.

export interface ByteQueue {
  /** Bytes appended and not yet taken. */
  readonly length: number;
  /** All copying so far, in bytes; linear in what was appended. */
  readonly bytesCopied: number;
  append(bytes: Uint8Array): void;
  /** The next `count` bytes as a buffer of their own; throws RangeError when there are fewer. */
  take(count: number): Buffer;
}

const NOTHING = Buffer.alloc(0);
const FIRST_CAPACITY = 4_096;

/** An empty queue; its memory is at most about twice the most bytes that ever waited in it. */
export function createByteQueue(): ByteQueue {
  let store = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  let start = 0;
  let end = 0;
  let bytesCopied = 0;

  function makeRoom(count: number): void {
    if (end + count <= store.length) return;
    const waiting = end - start;
    // Moved to the front only when at least half is free, and doubled otherwise: each move is paid for by as many bytes.
    const target = (waiting + count) * 2 <= store.length ? store : Buffer.allocUnsafeSlow((waiting + count) * 2);
    store.copy(target, 0, start, end);
    bytesCopied += waiting;
    store = target;
    start = 0;
    end = waiting;
  }

  return {
    get length() {
      return end - start;
    },
    get bytesCopied() {
      return bytesCopied;
    },
    append: (bytes) => {
      makeRoom(bytes.length);
      store.set(bytes, end);
      end += bytes.length;
      bytesCopied += bytes.length;
    },
    take: (count) => {
      if (count > end - start) throw new RangeError(`${count} bytes wanted of ${end - start}`);
      if (count === 0) return NOTHING;
      const taken = Buffer.from(store.subarray(start, start + count));
      start += count;
      bytesCopied += count;
      return taken;
    },
  };
}
