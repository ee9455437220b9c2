// Takes the COPY text out of the messages of the PostgreSQL protocol, in place: no object and no copy for each row.
// (PostgreSQL documentation, "Message Formats": one byte of kind, four of length, which counts itself but not the kind.)

const COPY_DATA = 0x64; // d
const COPY_DONE = 0x63; // c
/** CopyOutResponse, notices, changed parameters and notifications may come at any time; none of them is text. */
const PASSED_OVER = new Set([0x48, 0x4e, 0x53, 0x41]); // H, N, S, A
const HEAD_BYTES = 5;
const LENGTH_BYTES = 4;

export interface StrippedChunk {
  /** COPY text; a view of the chunk. */
  readonly text: Buffer;
  /** What follows the text, from the first message on that is for the client: CopyDone is left out, an error is not. */
  readonly rest: Buffer | undefined;
}

/**
 * A reader of everything that the server sends after `COPY … TO STDOUT`, in chunks of any size; overwrites the chunks.
 *
 * After the first `rest` it is not to be called again.
 */
export function createCopyReader(): (chunk: Buffer) => StrippedChunk {
  const head = Buffer.alloc(HEAD_BYTES);
  let headBytes = 0;
  /** Bytes of the message under way that are still to come. */
  let left = 0;
  let isText = false;

  return (chunk) => {
    let read = 0;
    let written = 0;
    for (;;) {
      if (left > 0) {
        const here = Math.min(left, chunk.length - read);
        if (isText) {
          chunk.copyWithin(written, read, read + here);
          written += here;
        }
        read += here;
        left -= here;
      }
      if (read === chunk.length) break;
      const taken = Math.min(HEAD_BYTES - headBytes, chunk.length - read);
      const isWhole = taken === HEAD_BYTES;
      // Copying each head would cost as much as all the rest; it is split between two chunks only now and then.
      const from = isWhole ? chunk : head;
      const at = isWhole ? read : 0;
      if (!isWhole) {
        chunk.copy(head, headBytes, read, read + taken);
        headBytes += taken;
      }
      read += taken;
      if (!isWhole && headBytes < HEAD_BYTES) break;
      headBytes = 0;
      const kind = from[at];
      isText = kind === COPY_DATA;
      if (!isText && (kind === undefined || !PASSED_OVER.has(kind))) {
        const after = chunk.subarray(read);
        const rest = kind === COPY_DONE ? after : Buffer.concat([from.subarray(at, at + HEAD_BYTES), after]);
        return { text: chunk.subarray(0, written), rest };
      }
      left = from.readUInt32BE(at + 1) - LENGTH_BYTES;
    }
    return { text: chunk.subarray(0, written), rest: undefined };
  };
}
