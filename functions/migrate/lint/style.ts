// Rules on names, and on words that hide what a file does.

import type { Node } from 'libpg-query';
import { bodyWithoutTexts } from './block-body.ts';
import type { LintRule } from './lint-rule.ts';
import { madeNames, unqualifiedName } from './made-names.ts';
import { hasOption, namesOf, showName, writtenName } from './statement-parts.ts';

export const styleRules: readonly LintRule[] = [
  {
    name: 'require-naming-convention',
    severity: 'warning',
    message: 'names are lower case with underscores; indexes and constraints carry the name of their table',
    why: 'A name with capitals or blanks must be quoted for ever; a constraint without a name gets one by the server that the down script has to guess; and an error of the server names the index or constraint only.',
    instead: 'snake_case; users_email_key, idx_users_email; ADD CONSTRAINT with a name',
    decidedBy: 'file',
    alsoDown: false,
    check: ({ tree, alters }) =>
      madeNames(tree, alters).flatMap(({ kind, name, table }) => {
        if (name === undefined) return [{ about: `${kind} of "${table}" has no name` }];
        if (!SNAKE_CASE.test(name)) return [{ about: `${kind} "${name}"` }];
        if (table === undefined || name.includes(table)) return [];
        return [{ about: `${kind} "${name}" of "${table}"` }];
      }),
  },
  {
    name: 'require-schema-name',
    severity: 'warning',
    message: 'which schema this is depends on the search path of the session',
    why: 'Another role, a restored database or a temporary table of the same name makes it another object.',
    instead: 'write schema.name, or SET LOCAL search_path at the top of the file',
    decidedBy: 'file',
    alsoDown: false,
    check({ tree, schema }) {
      const name = schema.localPath === undefined ? unqualifiedName(tree) : undefined;
      return name === undefined ? [] : [{ about: `"${name}"` }];
    },
  },
  {
    name: 'ban-truncated-name',
    severity: 'error',
    message: 'the server cuts names after 63 bytes, so that two can become one',
    why: 'It says so in a notice that nobody reads; the next statement that uses the full name of another object finds this one.',
    instead: 'a shorter name',
    decidedBy: 'file',
    alsoDown: true,
    check({ statement }) {
      // The tree has the cut name; the text has the whole one.
      const long = statement.text
        .match(LONG_WORD)
        ?.find((word) => Buffer.byteLength(word) > LONGEST_NAME && isName(statement.text, word));
      return long === undefined ? [] : [{ about: `"${long}" has ${Buffer.byteLength(long)}` }];
    },
  },
  {
    name: 'ban-if-exists',
    severity: 'warning',
    message: 'IF EXISTS and IF NOT EXISTS accept a schema that is not the one that the file was written for',
    why: 'A table of that name with other columns passes silently, and the next migration fails far from the reason. migrate runs each file once and knows which statements it has run, so nothing needs to be run twice.',
    instead: 'leave it out: then the difference is found where it is',
    decidedBy: 'file',
    alsoDown: false,
    check({ tree, alters }) {
      // An extension is often put there by whoever runs the server; concurrent indexes have a rule of their own.
      if ('CreateExtensionStmt' in tree || ('IndexStmt' in tree && tree.IndexStmt.concurrent === true)) return [];
      return saysIfExists(tree) || alters.some(({ command }) => command.missing_ok === true)
        ? [{ about: 'in this statement' }]
        : [];
    },
  },
  {
    name: 'prefer-static-sql',
    severity: 'warning',
    message: 'lint cannot see what a DO block does to tables',
    why: 'What EXECUTE runs is known only when it runs, and statements inside of a block are not looked at: no rule warns of their locks.',
    instead: 'plain statements; where that cannot be, rehearse the file and say so in an allow line',
    decidedBy: 'file',
    alsoDown: true,
    check({ block }) {
      if (block === '') return [];
      if (DYNAMIC.test(block)) return [{ about: 'it has EXECUTE' }];
      const hidden = HIDDEN.exec(block)?.[0];
      return hidden === undefined ? [] : [{ about: `it has ${hidden.replaceAll(/\s+/g, ' ').toUpperCase()}` }];
    },
  },
  {
    name: 'require-definer-search-path',
    severity: 'error',
    message: 'a SECURITY DEFINER function without SET search_path runs whatever its caller puts in the way',
    why: 'The caller chooses the search path, makes a function or operator of a name that the body uses, and so acts with the rights of the owner.',
    instead: 'SET search_path = pg_catalog, pg_temp, and schema names in the body',
    decidedBy: 'file',
    alsoDown: true,
    check({ tree }) {
      if (!('CreateFunctionStmt' in tree)) return [];
      const { options = [], funcname } = tree.CreateFunctionStmt;
      const isDefiner = options.some(
        (one) =>
          'DefElem' in one &&
          one.DefElem.defname === 'security' &&
          one.DefElem.arg &&
          'Boolean' in one.DefElem.arg &&
          one.DefElem.arg.Boolean.boolval === true,
      );
      const setsPath = options.some(
        (one) =>
          hasOption([one], 'set') &&
          'DefElem' in one &&
          one.DefElem.arg &&
          'VariableSetStmt' in one.DefElem.arg &&
          one.DefElem.arg.VariableSetStmt.name === 'search_path',
      );
      return isDefiner && !setsPath ? [{ about: showName(writtenName(namesOf(funcname))) }] : [];
    },
  },
];

const SNAKE_CASE = /^[a-z_][a-z0-9_]*$/;
/** NAMEDATALEN - 1. */
const LONGEST_NAME = 63;
const LONG_WORD = /[\p{L}_][\p{L}\p{N}_$]{31,}/gu;
/** EXECUTE as a statement of PL/pgSQL, not that of a trigger or a grant. */
const DYNAMIC = /\bexecute\b(?!\s+(function|procedure|on)\b)/i;
const HIDDEN =
  /\b(alter\s+table|create\s+(unique\s+)?index|drop\s+(table|index|column)|truncate|update\s+[\w."]+\s+set|delete\s+from)\b/i;

/** Whether a word stands in the SQL itself and not in a text, a body or a comment. */
function isName(text: string, word: string): boolean {
  return bodyWithoutTexts(text).includes(word);
}

/** The parser has a word of its own for it in three kinds of statements. */
function saysIfExists(tree: Node): boolean {
  const parts: Readonly<Record<string, unknown>> = Object.assign({}, ...Object.values(tree));
  return parts['if_not_exists'] === true || parts['missing_ok'] === true || parts['skipIfNewValExists'] === true;
}
