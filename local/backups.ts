// `npm run backups`: what backups there are, what may be relied on, and how far that is from the RPO. Only reads.
// Exit codes: 0 the RPO is met and all could be read, 1 it is not or something could not be read, 2 bad input.
import { JobFailure } from '../functions/shared/job-failure.ts';
import { createObjectStore } from '../functions/shared/object-store.ts';
import { listBackups } from './backups/list-backups.ts';
import { HELP, parseOptions } from './backups/parse-options.ts';
import { printBackups } from './backups/print-backups.ts';
import { LocalRunError } from './local-run-error.ts';

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const options = await parseOptions(process.argv.slice(2), process.env, new Date());
    if (options === 'help') {
      console.log(HELP);
      return 0;
    }
    const { bucket, database, limitHours } = options;
    const list = await listBackups(createObjectStore(bucket), { database, limitHours, now: new Date() });
    console.log(options.json ? JSON.stringify(list, null, 2) : printBackups(list, process.stdout.isTTY));
    return list.rpo.isMet === true && list.backups.every(({ state }) => state !== 'unreadable') ? 0 : 1;
  } catch (error) {
    if (!(error instanceof LocalRunError || error instanceof JobFailure)) throw error;
    console.error(error.message);
    return error instanceof LocalRunError ? 2 : 1;
  }
}
