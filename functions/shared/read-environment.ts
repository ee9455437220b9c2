// Reads the settings of a job from its environment variables: typed values, or one error that lists all problems.
// The only file that looks at process.env. `environment.ts` of each job declares its settings with the builders below;
// the infrastructure builds its record from the same declaration, so a renamed variable does not compile.
import { JobFailure } from './job-failure.ts';

export interface Setting<Value, Required extends boolean = boolean> {
  readonly required: Required;
  /** One sentence for docs/settings.md. */
  readonly summary: string;
  readonly example: string;
  /** The allowed values in words, e.g. `30 to 840`. */
  readonly allowed: string;
  readonly fallback?: Value;
  /** The value, or undefined when the text is not allowed. */
  parse(text: string): Value | undefined;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** The values a job works with. */
export type SettingValues<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer V, infer R> ? (R extends true ? V : V) : never;
};

type RequiredKeys<S extends Settings> = {
  [K in keyof S]: S[K] extends Setting<unknown, true> ? K : never;
}[keyof S];

/** The record of environment variables that infra has to give: required names must be there, optional ones may. */
export type EnvironmentVariables<S extends Settings> = { readonly [K in RequiredKeys<S>]: string } & {
  readonly [K in Exclude<keyof S, RequiredKeys<S>>]?: string;
};

interface Describe {
  summary: string;
  example: string;
}

/** A non-blank text. */
export function text(about: Describe & { pattern?: RegExp; allowed?: string }): Setting<string, true> {
  return {
    ...about,
    required: true,
    allowed: about.allowed ?? 'any text that is not blank',
    parse: (value) => (about.pattern && !about.pattern.test(value) ? undefined : value),
  };
}

/** One of a list of words. */
export function choice<const T extends string>(about: Describe & { of: readonly T[] }): Setting<T, true> {
  return {
    ...about,
    required: true,
    allowed: about.of.map((word) => `"${word}"`).join(' or '),
    parse: (value) => about.of.find((word) => word === value),
  };
}

/** A whole number written in digits, with its unit in the variable's name; never `Number(x)` alone, which reads "" as 0. */
export function integer(about: Describe & { min: number; max: number }): Setting<number, true> {
  return {
    ...about,
    required: true,
    allowed: `a whole number from ${about.min} to ${about.max}`,
    parse: (value) => {
      if (!/^\d{1,15}$/.test(value)) return undefined;
      const number = Number(value);
      return number >= about.min && number <= about.max ? number : undefined;
    },
  };
}

/** A list of texts, written as a JSON array: names may hold commas, blanks and quotes. */
export function jsonList(about: Describe): Setting<readonly string[], true> {
  return {
    ...about,
    required: true,
    allowed: 'a JSON array of texts that are not blank',
    parse: (value) => {
      try {
        const list: unknown = JSON.parse(value);
        const isList = Array.isArray(list) && list.every((one) => typeof one === 'string' && one.trim() !== '');
        return isList ? list : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** Makes a setting optional with a safe value that is written once, here; never for what deletes or chooses a target. */
export function withFallback<V>(setting: Setting<V, true>, fallback: V): Setting<V, false> {
  return { ...setting, required: false, fallback };
}

/** Makes a setting optional without any value. */
export function optional<V>(setting: Setting<V, true>): Setting<V | undefined, false> {
  return { ...setting, required: false };
}

/**
 * The settings of a job as typed values.
 *
 * Blank counts as missing. Throws one `settings.wrong` failure that names every missing or wrong variable with its
 * actual and allowed value, before anything was read or written.
 */
export function readEnvironment<S extends Settings>(
  job: string,
  settings: S,
  source: Readonly<Record<string, string | undefined>> = process.env,
): SettingValues<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const raw = source[name]?.trim() ?? '';
    if (raw === '') {
      if (setting.required) problems.push(`${name} is not set (allowed: ${setting.allowed})`);
      else values[name] = setting.fallback;
      continue;
    }
    const value = setting.parse(raw);
    if (value === undefined) problems.push(`${name} is "${raw}" but must be ${setting.allowed}`);
    else values[name] = value;
  }
  if (problems.length > 0) {
    throw new JobFailure({
      code: 'settings.wrong',
      problem: `${job} cannot start: ${problems.length} setting${problems.length === 1 ? ' is' : 's are'} wrong. ${problems.join('. ')}`,
      safeState: 'Nothing was read or written',
      hint: `see docs/settings.md, section ${job}`,
    });
  }
  return values as SettingValues<S>;
}
