// SASLprep (RFC 4013) for passwords, as small as it can be and still agree with the server, libpq and pg.
// ASCII stays as it is. Where those three could disagree, the password is refused instead of guessed.
import { JobFailure } from '../shared/job-failure.ts';
import type { SecretText } from '../shared/secret-text.ts';

const NON_ASCII_SPACE = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu;
const MAPPED_TO_NOTHING = /\u00ad|\u034f|\u1806|\u180b|\u180c|\u180d|\u2060|\ufeff|[\ufe00-\ufe0f]/gu;

/** RFC 4013 §2.3: controls, private use, non-characters, lone surrogates, tags, and what changes the display. */
const PROHIBITED =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202e\u2061-\u206f\u2ff0-\u2ffb\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufff9-\uffff]|\u0340|\u0341|[\u{1d173}-\u{1d17a}\u{e0000}-\u{e007f}\u{f0000}-\u{10ffff}]/u;

/**
 * Blocks that Unicode 3.2 knew in full. SASLprep must leave a password alone that holds a character newer than 3.2 or
 * mixes directions, while Unicode libraries of today would still normalise it. So a password that normalisation changes
 * must consist of these; one that it does not change is the same bytes either way.
 */
const SURELY_NORMALISED =
  /^(?:[\u0020-\u007e\u00a1-\u0220\u0391-\u03a1\u03a3-\u03ce\u0410-\u044f\u2010-\u2027\u2070\u2074-\u208e\u2100-\u2138\u2153-\u2183\u3041-\u3094\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3\uff01-\uff5e]|[\ufb00-\ufb06]|[\u0300-\u034e])*$/u;

/** The text that goes into the key derivation; throws `secret.wrong` naming the role, never the password. */
export function preparePassword(role: string, password: SecretText): string {
  const given = password.reveal();
  if (given.includes('\0')) throw refused(role, 'a zero byte');
  // The server leaves every ASCII password as it is, control characters included.
  // oxlint-disable-next-line no-control-regex -- the range is ASCII itself
  if (/^[\u0001-\u007f]*$/.test(given)) return given;
  const mapped = given.replace(NON_ASCII_SPACE, ' ').replace(MAPPED_TO_NOTHING, '');
  const prepared = mapped.normalize('NFKC');
  if (prepared === '') throw refused(role, 'nothing but characters that do not count');
  if (PROHIBITED.test(prepared) || PROHIBITED.test(given.replace(MAPPED_TO_NOTHING, ''))) {
    throw refused(role, 'a character that SASLprep (RFC 4013) prohibits');
  }
  if (prepared !== given && !SURELY_NORMALISED.test(mapped)) {
    throw refused(role, 'characters that clients normalise in different ways');
  }
  return prepared;
}

function refused(role: string, what: string): JobFailure {
  return new JobFailure({
    code: 'secret.wrong',
    problem: `the password in the secret of role "${role}" holds ${what}`,
    safeState: 'No role was changed',
    hint: 'put a password of ASCII letters and digits into the secret',
  });
}
