// The refusals of the local object store, in S3's own codes and status numbers. Thrown by every step of a request,
// turned into an XML answer in one place (serve-request.ts).

const statusOf = {
  AccessDenied: 403,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchObjectLockConfiguration: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  XAmzContentSHA256Mismatch: 400,
} as const;

export type StoreErrorCode = keyof typeof statusOf;

/** A refusal with the status number, the further XML elements and the headers that S3 sends with it. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: string;
  readonly status: number;
  readonly details: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, status: number, message: string, more: StoreErrorParts = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.details = more.details ?? {};
    this.headers = more.headers ?? {};
  }
}

export interface StoreErrorParts {
  readonly details?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal whose status number follows from its code. */
export function storeError(code: StoreErrorCode, message: string, more?: StoreErrorParts): StoreError {
  return new StoreError(code, statusOf[code], message, more);
}

/** What this stand-in does not do is said aloud: a silent 200 would let a caller believe in an effect that never came. */
export function notImplemented(what: string): StoreError {
  return storeError('NotImplemented', `${what} is not implemented by the local object store`);
}
