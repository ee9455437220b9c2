import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { SecretText } from '../../functions/shared/secret-text.ts';

describe('SecretText', () => {
  test('it is printed in every way there is: only [redacted] shows', () => {
    const secret = new SecretText('hunter2');

    const printed = [
      String(secret),
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: [secret] }),
      'text '.concat(String(secret)),
    ];

    expect(printed.join(' ')).not.toContain('hunter2');
    expect(printed.every((text) => text.includes('[redacted]'))).toBe(true);
    expect(secret.reveal()).toBe('hunter2');
  });

  test('two secrets: equal only when their values are', () => {
    expect(new SecretText('a').equals(new SecretText('a'))).toBe(true);
    expect(new SecretText('a').equals(new SecretText('b'))).toBe(false);
  });
});
