// The query parameters that all list operations share.
import type { PageRequest } from './cut-page.ts';
import { storeError } from './store-error.ts';

// S3's own ceiling; a larger number is answered with pages of this size.
const largestPage = 1000;

/** Prefix, delimiter and page size (`sizeName` is the parameter's name); throws InvalidArgument. */
export function readPageRequest(
  query: ReadonlyMap<string, string>,
  sizeName: string,
  after: PageRequest['after'],
): PageRequest {
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    size: Math.min(readCount(query, sizeName) ?? largestPage, largestPage),
    after,
  };
}

/** A count from 0 up, or undefined when it is not given. */
export function readCount(query: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(text)) return Number.parseInt(text, 10);
  throw storeError('InvalidArgument', `Provided ${name} not an integer or within integer range`, {
    details: { ArgumentName: name, ArgumentValue: text },
  });
}

/** How names go into the answer: as they are, or URL-encoded as `encoding-type=url` asks. */
export function encodeNames(query: ReadonlyMap<string, string>): (name: string) => string {
  const encoding = query.get('encoding-type');
  if (encoding === undefined) return (name) => name;
  if (encoding === 'url') return encodeName;
  throw storeError('InvalidArgument', 'Invalid Encoding Method specified in Request', {
    details: { ArgumentName: 'encoding-type', ArgumentValue: encoding },
  });
}

/** As S3 encodes names: blanks as +, slashes as they are, brackets and the like as %XX. */
function encodeName(name: string): string {
  return encodeURIComponent(name)
    .replaceAll(/[!'()~]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
    .replaceAll('%2F', '/');
}
