// How large the tests run: short in `npm test`, full by `npm run test:faults`. No test exists in one size only.

/** Rounds of each kill or fault: 3 unless NIGHTSHIFT_ROUNDS says more. */
export const rounds = readRounds(process.env['NIGHTSHIFT_ROUNDS']);

/** What the output calls this run. */
export const size = rounds > 3 ? 'full' : 'short';

function readRounds(text: string | undefined): number {
  if (text === undefined || text.trim() === '') return 3;
  if (!/^\d{1,4}$/.test(text) || Number(text) < 1)
    throw new RangeError(`NIGHTSHIFT_ROUNDS is "${text}"; it must be 1 to 9999`);
  return Number(text);
}
