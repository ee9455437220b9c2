// PostgreSQL refuses to run as root: as root the cluster runs as an unprivileged user, otherwise as ourselves.
import { readFileSync } from 'node:fs';
import { LocalRunError } from '../local-run-error.ts';

export interface ProcessUser {
  uid: number;
  gid: number;
}

/** `postgres` comes with the packages; `nobody` is on every system. */
const CANDIDATES = ['postgres', 'nobody'];

/** The user to run the cluster as, or undefined when this process is not root. */
export function unprivilegedUser(passwdText = () => readFileSync('/etc/passwd', 'utf8')): ProcessUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = passwdText()
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of CANDIDATES) {
    const [, , uid, gid] = accounts.find(([account]) => account === name) ?? [];
    if (uid !== undefined && gid !== undefined && uid !== '0') return { uid: Number(uid), gid: Number(gid) };
  }
  throw new LocalRunError(
    `PostgreSQL does not run as root, and none of the users ${CANDIDATES.join(', ')} exists here. Nothing was started`,
    'run the command as an ordinary user',
  );
}
