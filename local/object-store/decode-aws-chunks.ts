// Takes the aws-chunked framing off a request body: `<hex length>[;chunk-signature=…]\r\n<bytes>\r\n` … `0\r\n`,
// then trailer lines and an empty line. Called by receive-body.ts; never holds more than one network read in memory.
import { storeError } from './store-error.ts';

const endOfLine = Buffer.from('\r\n');
// A chunk header with its signature has about 100 bytes; a longer line is not this framing.
const longestLine = 8192;

/**
 * Yields the payload and fills `trailers` (lower-case names) at the end.
 *
 * Throws IncompleteBody when the framing is wrong or the body ends inside it.
 */
export async function* decodeAwsChunks(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let left = 0;
  let expecting: 'header' | 'payload' | 'end of chunk' | 'trailer' | 'nothing' = 'header';

  for await (const piece of source) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    while (rest.length > 0) {
      if (expecting === 'nothing') throw incomplete('there are bytes after the last chunk');
      if (expecting === 'payload') {
        const payload = rest.subarray(0, left);
        rest = rest.subarray(payload.length);
        left -= payload.length;
        if (left === 0) expecting = 'end of chunk';
        yield payload;
        continue;
      }
      const end = rest.indexOf(endOfLine);
      if (end === -1) {
        if (rest.length > longestLine) throw incomplete(`a framing line is longer than ${longestLine} bytes`);
        break;
      }
      const line = rest.toString('latin1', 0, end);
      rest = rest.subarray(end + endOfLine.length);
      if (expecting === 'end of chunk') {
        if (line !== '') throw incomplete('a chunk is longer than its header says');
        expecting = 'header';
      } else if (expecting === 'header') {
        left = readLength(line);
        expecting = left === 0 ? 'trailer' : 'payload';
      } else if (line === '') {
        expecting = 'nothing';
      } else {
        readTrailer(line, trailers);
      }
    }
  }
  if (expecting !== 'nothing') throw incomplete('it ends before the last chunk');
}

function readLength(line: string): number {
  const length = /^([0-9a-fA-F]{1,12})(?:;.*)?$/.exec(line)?.[1];
  if (length === undefined) throw incomplete('a chunk header has no length');
  return Number.parseInt(length, 16);
}

function readTrailer(line: string, trailers: Map<string, string>): void {
  const colon = line.indexOf(':');
  if (colon < 1)
    throw storeError('MalformedTrailerError', 'The request contained trailing data that was not well-formed.');
  trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
}

function incomplete(what: string) {
  return storeError('IncompleteBody', `The request body terminated unexpectedly: ${what}`);
}
