// What a request promises about its body: length, payload hash, Content-MD5, additional checksum in a header or trailer.
// Malformed promises are refused here, before the first byte is read; broken ones in receive-body.ts.
import {
  type ChecksumAlgorithm,
  checksumAlgorithms,
  checksumBytes,
  decodeBase64,
  findAlgorithm,
} from './create-checksum.ts';
import { header, type StoreRequest } from './read-request.ts';
import { notImplemented, storeError } from './store-error.ts';

export interface BodyDigests {
  /** True when the body has the aws-chunked framing. */
  readonly chunked: boolean;
  /** Bytes of the payload. */
  readonly length: number;
  readonly md5: string | undefined;
  /** SHA-256 of the payload in hex, as signed. */
  readonly sha256: string | undefined;
  /** A checksum without a value comes in the trailer. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string | undefined } | undefined;
}

// S3's limit for one PutObject or UploadPart.
const largestBody = 5 * 1024 ** 3;
const payloadKinds = new Set([
  'UNSIGNED-PAYLOAD',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
]);

/** Reads the promises; throws InvalidDigest, InvalidRequest, MissingContentLength, EntityTooLarge or NotImplemented. */
export function readBodyDigests(request: StoreRequest): BodyDigests {
  const payload = header(request, 'x-amz-content-sha256');
  if (payload === undefined) throw invalid('Missing required header for this request: x-amz-content-sha256');
  const isHash = /^[0-9a-f]{64}$/.test(payload);
  if (!isHash && !payloadKinds.has(payload)) {
    throw storeError(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-… or a valid sha256 value.',
    );
  }
  const chunked = payload.startsWith('STREAMING-') || contentEncodings(request).includes('aws-chunked');
  return {
    chunked,
    length: readLength(header(request, chunked ? 'x-amz-decoded-content-length' : 'content-length')),
    md5: readMd5(header(request, 'content-md5')),
    sha256: isHash ? payload : undefined,
    // There the header is about the object that comes out, not about the list of parts in the body.
    checksum: request.operation === 'CompleteMultipartUpload' ? undefined : readChecksum(request),
  };
}

/** True when the request carries what a bucket with object lock demands: Content-MD5 or an additional checksum. */
export function promisesDigest(request: StoreRequest): boolean {
  return header(request, 'content-md5') !== undefined || readChecksum(request) !== undefined;
}

/** The content encodings of a request, `aws-chunked` among them. */
export function contentEncodings(request: StoreRequest): string[] {
  return (header(request, 'content-encoding') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The one checksum given in a header, checked for its form. */
export function readChecksumHeader(request: StoreRequest): { algorithm: ChecksumAlgorithm; value: string } | undefined {
  const given = checksumAlgorithms.filter((algorithm) => header(request, `x-amz-checksum-${algorithm}`) !== undefined);
  if (given.length > 1) {
    throw invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  }
  const [algorithm] = given;
  if (algorithm === undefined) return undefined;
  return { algorithm, value: header(request, `x-amz-checksum-${algorithm}`) ?? '' };
}

function readChecksum(request: StoreRequest): BodyDigests['checksum'] {
  const inHeader = readChecksumHeader(request);
  const inTrailer = readTrailerName(header(request, 'x-amz-trailer'));
  if (inHeader !== undefined && inTrailer !== undefined) {
    throw invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  }
  if (inHeader !== undefined) {
    if (decodeBase64(inHeader.value, checksumBytes[inHeader.algorithm]) === undefined) {
      throw invalid(`Value for x-amz-checksum-${inHeader.algorithm} header is invalid.`);
    }
    return inHeader;
  }
  if (inTrailer !== undefined) return { algorithm: inTrailer, value: undefined };
  const announced = header(request, 'x-amz-sdk-checksum-algorithm');
  if (announced !== undefined && findAlgorithm(announced) === undefined)
    throw notImplemented(`checksum "${announced}"`);
  // S3 refuses the announcement alone, so a client that lost its checksum on the way is noticed.
  if (announced !== undefined) {
    throw invalid(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  return undefined;
}

function readTrailerName(trailer: string | undefined): ChecksumAlgorithm | undefined {
  if (trailer === undefined) return undefined;
  const algorithm = checksumAlgorithms.find((name) => trailer.trim().toLowerCase() === `x-amz-checksum-${name}`);
  if (algorithm === undefined) throw notImplemented(`trailer "${trailer}"`);
  return algorithm;
}

function readMd5(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const decoded = decodeBase64(value, 16);
  if (decoded === undefined) throw storeError('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  return decoded.toString('hex');
}

function readLength(value: string | undefined): number {
  if (value === undefined || !/^[0-9]{1,15}$/.test(value)) {
    throw storeError('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const length = Number.parseInt(value, 10);
  if (length <= largestBody) return length;
  throw storeError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    details: { ProposedSize: String(length), MaxSizeAllowed: String(largestBody) },
  });
}

function invalid(message: string) {
  return storeError('InvalidRequest', message);
}
