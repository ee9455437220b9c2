// Injects faults for tests: an S3 error instead of the operation, a connection that breaks before or after it.
// The hook sees every request, so a test can also use it to count or to record them.
import type { StoreRequest } from './read-request.ts';
import { StoreError } from './store-error.ts';

export interface FaultRequest {
  readonly method: string;
  /** `Unknown` for what the store does not do. */
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
  readonly partNumber?: number;
}

/**
 * What happens to a request instead of its operation.
 *
 * With `times`, the n-th equal request (same operation, key and part) and all later ones are served as usual.
 * `drop` breaks the connection before anything is done, `drop-answer` after it is done and before the answer.
 * `hang` takes the request and never answers, the connection stays open; `delayMs` answers late.
 */
export type Fault =
  | { readonly status: number; readonly code: string; readonly times?: number }
  | { readonly delayMs: number }
  | 'drop'
  | 'drop-answer'
  | 'hang';

export type FaultHook = (request: FaultRequest) => Fault | undefined;

export interface Faults {
  next(request: StoreRequest): StoreError | Exclude<Fault, { status: number }> | undefined;
}

/** Asks the hook for each request and counts what it has answered. */
export function createFaults(hook: FaultHook | undefined): Faults {
  const given = new Map<string, number>();
  return {
    next(request) {
      const { method, bucket, key } = request;
      const partNumber = request.query.get('partNumber');
      const seen = {
        method,
        operation: request.operation ?? 'Unknown',
        bucket,
        key,
        ...(partNumber !== undefined && { partNumber: Number(partNumber) }),
      };
      const fault = hook?.(seen);
      if (fault === undefined || typeof fault === 'string' || 'delayMs' in fault) return fault;
      const name = JSON.stringify(seen);
      const before = given.get(name) ?? 0;
      if (fault.times !== undefined && before >= fault.times) return undefined;
      given.set(name, before + 1);
      return new StoreError(fault.code, fault.status, `injected ${fault.code}`);
    },
  };
}
