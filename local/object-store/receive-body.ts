// Streams a request body to a file or into a short text and proves it against what the request promised.
// Never holds an object in memory; a body that breaks a promise leaves no file behind.
import { createHash } from 'node:crypto';
import { readBodyDigests } from './body-digests.ts';
import { type ChecksumAlgorithm, checksumBytes, createChecksum, decodeBase64 } from './create-checksum.ts';
import { decodeAwsChunks } from './decode-aws-chunks.ts';
import type { StoreRequest } from './read-request.ts';
import { storeError } from './store-error.ts';
import { writePieces } from './write-pieces.ts';

export interface ReceivedBody {
  readonly size: number;
  /** Hex; the ETag of an object that came in one piece. */
  readonly md5: string;
  /** The additional checksum that the client sent and that was found right, in base64. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
}

/** Writes the body to a new file; removes the file and throws when the body is cut short or differs from its digests. */
export async function receiveFile(request: StoreRequest, file: string): Promise<ReceivedBody> {
  return await writePieces(file, (writer) => receiveBody(request, writer.write));
}

// 10,000 parts with checksums need about 2.5 MiB.
const longestDocument = 8 * 1024 ** 2;

/** The body of an XML request as text, proven like any other body. */
export async function receiveText(request: StoreRequest): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  await receiveBody(request, async (piece) => {
    size += piece.length;
    if (size > longestDocument)
      throw storeError('MalformedXML', `The XML you provided is longer than ${longestDocument} bytes`);
    pieces.push(piece);
  });
  return Buffer.concat(pieces).toString('utf8');
}

async function receiveBody(request: StoreRequest, write: (piece: Buffer) => Promise<void>): Promise<ReceivedBody> {
  const promised = readBodyDigests(request);
  const md5 = createHash('md5');
  const sha256 = promised.sha256 === undefined ? undefined : createHash('sha256');
  const checksum = promised.checksum && createChecksum(promised.checksum.algorithm);
  const trailers = new Map<string, string>();
  let size = 0;

  const body = request.readBody();
  for await (const piece of promised.chunked ? decodeAwsChunks(body, trailers) : body) {
    size += piece.length;
    md5.update(piece);
    sha256?.update(piece);
    checksum?.update(piece);
    await write(piece);
  }

  if (size !== promised.length) {
    throw storeError('IncompleteBody', `The request body has ${size} bytes instead of the ${promised.length} promised`);
  }
  if (sha256 !== undefined && sha256.digest('hex') !== promised.sha256) {
    throw storeError(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  const md5Hex = md5.digest('hex');
  if (promised.md5 !== undefined && promised.md5 !== md5Hex) {
    throw storeError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
  if (promised.checksum === undefined || checksum === undefined) return { size, md5: md5Hex, checksum: undefined };

  const { algorithm } = promised.checksum;
  const expected = promised.checksum.value ?? readTrailer(algorithm, trailers);
  const value = checksum.digest().toString('base64');
  if (value !== expected) {
    throw storeError(
      'BadDigest',
      `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
    );
  }
  return { size, md5: md5Hex, checksum: { algorithm, value } };
}

function readTrailer(algorithm: ChecksumAlgorithm, trailers: ReadonlyMap<string, string>): string {
  const value = trailers.get(`x-amz-checksum-${algorithm}`);
  if (value === undefined || decodeBase64(value, checksumBytes[algorithm]) === undefined) {
    throw storeError('MalformedTrailerError', 'The request contained trailing data that was not well-formed.');
  }
  return value;
}
