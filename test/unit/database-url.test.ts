import { describe, expect, test } from 'vitest';
import { parseDatabaseUrl } from '../../local/night/database-url.ts';

describe('parseDatabaseUrl', () => {
  test('a server elsewhere without sslmode: verify-full', () => {
    const url = parseDatabaseUrl('postgres://me:p%40ss@db.example.com/shop', {});

    expect(url).toMatchObject({ host: 'db.example.com', port: 5432, dbname: 'shop', username: 'me', password: 'p@ss' });
    expect(url.tls.unsafe).toBeUndefined();
    expect(url.tlsSentence).toBe('TLS verify-full');
  });

  test('loopback or a unix socket without sslmode: plain, and the output says so', () => {
    expect(parseDatabaseUrl('postgres://me@localhost:5433/shop', {}).tlsSentence).toMatch(/without TLS \(loopback/);
    const socket = parseDatabaseUrl('postgres://me@/shop?host=/var/run/postgresql', {});
    expect(socket).toMatchObject({ host: '/var/run/postgresql', tlsSentence: 'without TLS (unix socket)' });
  });

  test.each([
    ['require', 'no-verify'],
    ['disable', 'disable'],
    ['verify-full', undefined],
  ])('sslmode=%s: followed', (mode, unsafe) => {
    expect(parseDatabaseUrl(`postgres://me@h/d?sslmode=${mode}`, {}).tls.unsafe).toBe(unsafe);
  });

  test.each([
    ['mysql://me@h/d', /must begin with postgres:\/\//],
    ['postgres://me@h/', /names no database/],
    ['postgres://h/d', /names no user/],
    ['postgres://me@/d', /names no host/],
    ['postgres://me@h/d?sslmode=maybe', /sslmode is "maybe"/],
    ['postgres://me@h/d?target_session_attrs=any', /parameter "target_session_attrs"/],
  ])('the URL is %s: refused with what is wrong', (text, message) => {
    expect(() => parseDatabaseUrl(text, {})).toThrow(message);
  });

  test('a wrong URL with a password: the password is not repeated', () => {
    expect(() => parseDatabaseUrl('postgres://me:hunter2@h/', {})).toThrow(expect.not.stringContaining('hunter2'));
  });
});
