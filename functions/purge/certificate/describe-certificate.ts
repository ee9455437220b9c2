// A certificate for a terminal or a ticket: a few lines of Markdown that also read as plain text. Pure.
import { describeBytes, describeCount, describeInstant } from '../../shared/describe-amounts.ts';
import type { Certificate } from './certificate.ts';
import { describeRows, describeUntil, headlineOf, SKIPPED_WORD, summaryOf } from './certificate-words.ts';

/** Verdict, counts, what stayed and why, what still holds the rows; ends with a line break. Control characters are replaced. */
export function describeCertificate(certificate: Certificate, sha256: string): string {
  const { database, policy, subject, skipped, children, archive, stillHeldBy } = certificate;
  const rule =
    policy === null ? `request ${subject?.reference ?? ''}` : `policy ${policy.name}, version ${policy.version}`;
  const lines = [
    `# ${headlineOf(certificate)}`,
    '',
    `${database}, ${rule}: ${summaryOf(certificate)}`,
    '',
    ...children.map(
      ({ table, deleted, changed }) =>
        `- ${table}: ${describeCount(deleted)} deleted, ${describeCount(changed)} changed`,
    ),
    ...skipped.map(({ kind, rows, reason }) => `- kept, ${SKIPPED_WORD[kind]}: ${describeRows(rows)} ${reason}`),
    ...(archive === null
      ? []
      : [
          `- archived: ${describeRows(archive.rows)} in ${describeBytes(archive.bytes)}, manifest ${archive.manifestKey}`,
        ]),
    `- still in backups: ${describeUntil(stillHeldBy.backupsUntil)}`,
    `- still in point-in-time recovery: ${describeUntil(stillHeldBy.pitrUntil)}`,
    `- still in the archive: ${describeUntil(stillHeldBy.archiveUntil)}`,
    '',
    stillHeldBy.statement,
    '',
    `Done between ${describeInstant(certificate.startedAt)} and ${describeInstant(certificate.finishedAt)} UTC; sha256 of certificate.json ${sha256}`,
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

/** A name in the catalog may hold what a terminal obeys. */
function printable(line: string): string {
  return line.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');
}
