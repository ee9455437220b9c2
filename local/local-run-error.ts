// A mistake of the person at the terminal or of the machine: shown as a message without a stack, exit code 2.

/** What was wrong and what was not done, and one next action. */
export class LocalRunError extends Error {
  override readonly name = 'LocalRunError';
  readonly hint: string;

  constructor(problem: string, hint: string) {
    super(`${problem}.\nHint: ${hint}.`);
    this.hint = hint;
  }
}
