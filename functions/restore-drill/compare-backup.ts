// Compares the scratch database of a drill with its backup, item by item, as far as the time of the pass goes.
import { inParallel } from '../shared/in-parallel.ts';
import { OWNERSHIP_KINDS } from '../shared/inventory.ts';
import { type ComparisonItem, compareItem, comparisonItems } from './compare/compare-restored.ts';
import { addComparisons } from './compare/comparison.ts';
import { readExpected } from './compare/read-expected.ts';
import type { DrillPass } from './drill-pass.ts';
import { forbiddenKinds, withoutForbidden } from './forbidden-objects.ts';
import { PassOver } from './pass-time.ts';

/** All items compared, or PassOver; what was found so far is in the state. */
export async function compareBackup(pass: DrillPass): Promise<void> {
  const { job, server, manifest, archive, time } = pass;
  const { log, settings, store } = job;
  const { forbidden } = pass.state;
  const leftOut = new Set([...(server.kind === 'same server' ? OWNERSHIP_KINDS : []), ...forbiddenKinds(forbidden)]);
  const found = await readExpected(store, manifest, { contents: archive.contents, leftOut });
  const expected = { ...found, inventory: withoutForbidden(found.inventory, forbidden) };
  const items = comparisonItems(expected);
  const scratch = server.openScratch(pass.state.scratch, time.breakOff);
  try {
    while (pass.state.nextItem < items.length) {
      if (time.pause.aborted) throw new PassOver();
      const some = nextItems(items, pass.state.nextItem, Math.max(1, settings.MAX_CONNECTIONS - 1));
      const answers = await inParallel(
        some.length,
        some,
        async (item) =>
          await scratch.withSession(async (session) => await compareItem(session, expected, item, time.breakOff)),
      );
      const soFar = answers.reduce(addComparisons, pass.state.soFar);
      pass.state = { ...pass.state, nextItem: pass.state.nextItem + some.length, soFar };
    }
    log.info('restore_drill.compared', {
      backup_id: manifest.backupId,
      ...pass.state.soFar.compared,
      differences: pass.state.soFar.differenceCount,
    });
  } finally {
    await scratch.close();
  }
}

/** One item, or several tables beside each other: neighbours are of about the same size. */
function nextItems(items: readonly ComparisonItem[], from: number, atOnce: number): ComparisonItem[] {
  const some = items.slice(from, from + atOnce);
  const tables = some.findIndex(({ kind }) => kind !== 'table');
  return some.slice(0, tables === -1 ? some.length : Math.max(1, tables));
}
