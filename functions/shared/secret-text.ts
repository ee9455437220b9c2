// A password that cannot be printed by accident: logs, JSON, template strings and the inspector all show [redacted].
import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/** Holds a secret; `reveal()` is the only way to its value, so a search for that word finds every use. */
export class SecretText {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  equals(other: SecretText): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
