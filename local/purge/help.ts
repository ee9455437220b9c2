// What `npm run purge -- --help` prints.

export const HELP = `npm run purge -- [ACTION] [options]

What is past its retention period, shown and carried out from a terminal. Without an action it shows the plan and changes nothing.

  --plan              what a run would delete, anonymise or drop, what goes with it, and how long it takes (the default)
  --run               carry it out, pass after pass until everything is done; pauses while the server is busy
  --list              the policies, how each ended last, holds and stop flags
  --hold ROW          nothing of this may go: [schema.]table:KEY, or a whole table without a key
  --holds             the legal holds in force
  --release NUMBER    end a legal hold
  --stop              every purge ends after its batch, and none begins another one
  --go-on             lift what --stop has placed
  --verify FILE       is a certificate what was signed: certificate.json, its signature beside it; with --bucket the key of it
  --sign KEY          sign a certificate that is in the bucket without a signature
  --check-archive KEY read the objects of an archive.json back and compare each with it

  --policy NAME       plan, run: only this one, even if it is not enabled
  --subject ROW       plan, run: instead of policies everything that leads to this person (GDPR article 17), as users:42
  --reference WHAT    subject: what the request is filed under, as DSR-2026-17; the certificate names it, and not the person
  --plan-hash HASH    run: refuse when policies or tables are no longer those of that plan
  --bucket NAME       run, sign, check-archive: of the stack (also: BACKUP_BUCKET); certificates and archives are put there
  --signing-key ARN   run, sign, verify: an asymmetric KMS key (else purge.signingKeyArn of the config)
  --public-key FILE   verify: the key that is trusted, as PEM; needs neither AWS nor a network
  --reason TEXT       hold, stop: why
  --until WHEN        hold: ends by itself then, a day or an instant in UTC
  --of-person         hold: the row stands for a person: everything that leads to it is held as well
  --requested-by WHO  kept in the records (default: the name of your user)

  --database NAME     \`name\` in nightshift.config.ts (also: DATABASE_NAME), with the settings that are there. Logs in as
                      nightshift_purge with the secret of the function; hold, release, stop and go-on as nightshift_migrate
  --config FILE       another config (also: NIGHTSHIFT_CONFIG)
  --database-url URL  a login of yours (also: DATABASE_URL), as postgres://nightshift_purge@host:5432/dbname; PGPASSWORD,
                      PGSSLMODE and PGSSLROOTCERT are followed
  --json              the typed result instead of tables
  --help              this text

Progress goes to stderr. Ctrl-C ends it after the batch: what was committed is recorded, and the same command goes on behind it.

Exit codes: 0 ok, 1 failed, stopped, rows left without a reason, not valid or damaged, 2 wrong options or target, 130 Ctrl-C. docs/purge.md has examples.`;
