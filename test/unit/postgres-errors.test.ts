import { describe, expect, test } from 'vitest';
import { isSessionLost, sqlState } from '../../functions/shared/postgres-errors.ts';

const withCode = (code: string, more: object = {}) => Object.assign(new Error(`said ${code}`), { code, ...more });

describe('sqlState and isSessionLost', () => {
  test.each([
    ['an error of the server', withCode('23505'), '23505', false],
    ['ended by an administrator', withCode('57P01'), '57P01', true],
    ['a lost connection in the words of the server', withCode('08006'), '08006', true],
    ['a statement whose parameters do not match it', withCode('08P01'), '08P01', false],
    ['a transaction that did nothing for too long', withCode('25P03'), '25P03', true],
    // Five capital letters as a SQLSTATE, but of the operating system.
    ['the other side of the socket is gone', withCode('EPIPE', { syscall: 'write' }), undefined, true],
    ['a reset socket', withCode('ECONNRESET', { syscall: 'read' }), undefined, true],
    ['a file that may not be read', withCode('EPERM', { syscall: 'open' }), undefined, false],
    ['the words of pg', new Error('Connection terminated unexpectedly'), undefined, true],
    ['any other error', new Error('the source broke'), undefined, false],
    ['no error at all', '57P01', undefined, false],
  ])('%s', (_name, error, state, isLost) => {
    expect([sqlState(error), isSessionLost(error)]).toEqual([state, isLost]);
  });
});
