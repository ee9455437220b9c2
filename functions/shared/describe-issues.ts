// Turns the findings of a zod schema into lines a person can act on: path, actual value, what is allowed.
import type { z } from 'zod';

const SECRET_LIKE = /password|secret|token|key/i;

/** One line per problem, `path: is <actual>; <what is allowed>`; values under secret-like names are not shown. */
export function describeIssues(error: z.ZodError, input: unknown): string[] {
  return error.issues.map((issue) => {
    const path = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
    const name = path === '' ? 'the value' : path.replace(/^\./, '');
    if (issue.code === 'unrecognized_keys')
      return `${name}: has unknown ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    const value = valueAt(input, issue.path);
    return value === undefined
      ? `${name}: is missing; ${lower(issue.message)}`
      : `${name}: is ${show(name, value)}; ${lower(issue.message)}`;
  });
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

function show(name: string, value: unknown): string {
  if (SECRET_LIKE.test(name)) return '[redacted]';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
