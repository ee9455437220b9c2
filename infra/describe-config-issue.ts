// Turns a finding of the config schema into one line: path, actual value, what is allowed.
// Values under names that look like a secret are not shown: somebody may have pasted one where an ARN belongs.
import type { z } from 'zod';

const SECRET_LIKE = /secret|password|passphrase|token/i;
const LONGEST_VALUE = 60;

/** `databases[0].expire.keepAtLeast: is 0; must be …` for one issue of a part of the config that begins at `start`. */
export function describeConfigIssue(issue: z.core.$ZodIssue, part: unknown, start = ''): string {
  const path = `${start}${issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')}`;
  const name = path === '' ? 'config' : path.replace(/^\./, '');
  if (issue.code === 'unrecognized_keys')
    return `${name}: has unknown ${issue.keys.map((key) => `"${key}"`).join(', ')}; must have known settings only`;
  const value = valueAt(part, issue.path);
  const actual = value === undefined ? 'missing' : show(name, value);
  return `${name}: is ${actual}; ${issue.message}`;
}

function valueAt(part: unknown, path: readonly PropertyKey[]): unknown {
  let value = part;
  for (const step of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

function show(name: string, value: unknown): string {
  if (typeof value === 'string' && value.trim() === '') return 'blank';
  const isArn = typeof value === 'string' && value.startsWith('arn:');
  if (!isArn && (SECRET_LIKE.test(name) || (typeof value === 'string' && SECRET_LIKE.test(value))))
    return '[not shown]';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (value !== null && typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 3)}...` : text;
}
