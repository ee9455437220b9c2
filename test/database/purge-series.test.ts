// Which runs follow each other, on a real server: the newest run is the one with the greatest number, however many digits it has.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseCertificate } from '../../functions/purge/certificate/certificate.ts';
import { createPurgeWorld, type PurgeWorld } from './purge-world.ts';

describe('runs of one policy', () => {
  let world: PurgeWorld;
  beforeAll(async () => {
    world = await createPurgeWorld();
  });
  beforeEach(async () => await world.reset());
  afterAll(async () => await world.close());

  test.each([9, 99])(
    'the first run has number %i and is stopped, the next one has a digit more: one series, its certificate tells of the end',
    async (number) => {
      await world.fresh.query(`alter table nightshift.purge_run alter purge_run_id restart with ${number}`);
      await world.addPolicy();
      await world.addHold('61');
      const stop = new AbortController();
      await world.purge({ signal: stop.signal, onBatch: () => stop.abort() });

      const second = await world.purge();
      const third = await world.purge();

      expect(second.policy).toMatchObject({ series: String(number), rowsDone: 39, rowsLeft: 1 });
      const key = second.policy?.certificateKey ?? '';
      const certificate = parseCertificate(key, (await world.store.getText(key)) ?? '');
      expect(certificate).toMatchObject({ outcome: 'kept back', rows: { done: 39, left: 1, held: 1 } });
      expect(certificate.runs.map(({ id, state }) => [id, state])).toEqual([
        [String(number), 'stopped'],
        [String(number + 1), 'finished'],
      ]);
      expect(third.policy).toMatchObject({ series: String(number + 2), rowsDone: 0, rowsLeft: 1 });
    },
  );
});
