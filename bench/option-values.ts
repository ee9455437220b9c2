// Reads the values of the options of a benchmark; what does not fit is refused with what is allowed, before anything is started.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { LocalRunError } from '../local/local-run-error.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

export const textOption = { type: 'string' } as const;
export const flagOption = { type: 'boolean', short: 'h' } as const;

/** The largest `--seed`. */
export const LARGEST_SEED = 4_294_967_295;

/** The readers of one benchmark; `helpCommand` lists its options. */
export function optionValues(helpCommand: string) {
  const wrong = (problem: string) =>
    new LocalRunError(`${problem}. Nothing was started`, `${helpCommand} lists the options`);
  return {
    wrong,

    parse: <Own extends Options>(args: readonly string[], options: Own) => {
      try {
        return parseArgs({ args: [...args], allowPositionals: true, options });
      } catch (error) {
        throw wrong(error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error));
      }
    },

    notBlank: (option: string, text: string | undefined): string | undefined => {
      if (text?.trim() === '') throw wrong(`--${option} is blank; it must name a file`);
      return text;
    },

    integer: (option: string, text: string | undefined, min: number, max: number): number | undefined => {
      if (text === undefined) return undefined;
      const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
      if (value >= min && value <= max) return value;
      throw wrong(`--${option} is "${text}"; it must be a whole number from ${min} to ${max}`);
    },

    numbers: (option: string, text: string | undefined, min: number, max: number): number[] | undefined =>
      text?.split(',').map((item) => {
        const value = /^\d{1,6}(\.\d{1,3})?$/.test(item) ? Number(item) : -1;
        if (value >= min && value <= max) return value;
        throw wrong(`--${option} has "${item}"; each must be a number from ${min} to ${max}, parted by ","`);
      }),

    /** Those that were chosen, in the order of `allowed`. */
    words: <const Word extends string>(
      option: string,
      text: string | undefined,
      allowed: readonly Word[],
    ): Word[] | undefined => {
      if (text === undefined) return undefined;
      const chosen = text.split(',');
      const stranger = chosen.find((item) => !allowed.some((word) => word === item));
      if (stranger !== undefined) throw wrong(`--${option} has "${stranger}"; allowed are ${allowed.join(', ')}`);
      return allowed.filter((word) => chosen.includes(word));
    },
  };
}

/** For runs whose order nobody has asked for. */
export function randomSeed(): number {
  return Math.floor(Math.random() * (LARGEST_SEED + 1));
}
