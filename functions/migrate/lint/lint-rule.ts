// The shape of a rule, and what it is asked with: one statement, its place in the run, and the schema before it.
import type { Node } from 'libpg-query';
import type { MigrationHeader } from '../../shared/migration-header.ts';
import type { MigrationStatement } from '../../shared/migration-statements.ts';
import type { MigrationUnit } from '../../shared/migration-units.ts';
import type { MadeForeignKey } from './foreign-keys.ts';
import type { LintSeverity } from './lint-finding.ts';
import type { RunSchema } from './run-schema.ts';
import type { AlterCommand } from './statement-parts.ts';

export interface LintRule {
  /** A verb and its object: `require-…`, `ban-…` or `prefer-…`. */
  readonly name: string;
  readonly severity: LintSeverity;
  /** What is wrong, as the beginning of each finding's message; the object follows. */
  readonly message: string;
  /** Why it is dangerous. */
  readonly why: string;
  /** The safe alternative. */
  readonly instead: string;
  /** What it needs to decide: the file alone, the earlier files of the run as well, or the live catalog. */
  readonly decidedBy: 'file' | 'files' | 'catalog';
  /** Down scripts too: they lock and rewrite as others do. Without it a rule reads up scripts only. */
  readonly alsoDown: boolean;
  check(context: LintContext): Found[];
}

/** One thing that a rule has found in a statement. */
export interface Found {
  /** The object, as the end of the message. */
  readonly about: string;
  /** Where it weighs less than the rule usually does. */
  readonly severity?: LintSeverity;
}

export interface LintContext {
  readonly statement: MigrationStatement;
  readonly tree: Node;
  /** The commands, when the statement is an ALTER TABLE. */
  readonly alters: readonly AlterCommand[];
  readonly foreignKeys: readonly MadeForeignKey[];
  /** The body of a DO block without comments and texts; empty for other statements. */
  readonly block: string;
  readonly file: string;
  readonly direction: 'up' | 'down';
  readonly unit: MigrationUnit;
  readonly header: MigrationHeader;
  /** Before the statement. */
  readonly schema: RunSchema;
  readonly script: ScriptFacts;
  readonly run: RunFacts;
}

/** What a rule asks of the other statements of the script, found once per script. */
export interface ScriptFacts {
  /** Keys `schema.name` of tables that the script drops. */
  readonly dropped: ReadonlySet<string>;
  /** The migration cannot be reverted, by its header. */
  readonly isIrreversible: boolean;
  /** Whether the other script of the pair makes an enum type, as a rebuild of one does. */
  readonly otherMakesEnum: boolean;
  /** Statements before this one in its unit. */
  readonly before: (statement: MigrationStatement) => readonly MigrationStatement[];
  /** Whether a statement before this one, in whatever unit, sets a lock or statement timeout. */
  readonly setsTimeoutBefore: (statement: MigrationStatement) => boolean;
}

/** What a rule asks of the whole run. */
export interface RunFacts {
  /** Leading columns of each index that a file of the run makes, by key `schema.name` of its table. */
  readonly indexes: ReadonlyMap<string, readonly (readonly string[])[]>;
}
