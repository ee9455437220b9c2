// Lints migrations: walks through the run statement by statement, asks every rule, and follows what the schema becomes.
// Pure: reads neither files nor the database. Called by the command line and by migrate.
import type { Migration, MigrationScript } from '../../shared/migration-files.ts';
import type { MigrationStatement } from '../../shared/migration-statements.ts';
import { type MigrationUnit, unitsOf } from '../../shared/migration-units.ts';
import { applyStatement } from './apply-statement.ts';
import { bodyWithoutTexts } from './block-body.ts';
import { foreignKeysOf } from './foreign-keys.ts';
import { applyAllows } from './lint-allows.ts';
import type { LintCatalog } from './lint-catalog.ts';
import type { LintFinding } from './lint-finding.ts';
import type { LintContext, LintRule, RunFacts, ScriptFacts } from './lint-rule.ts';
import { lintRules } from './lint-rules.ts';
import { indexesMadeBy } from './made-indexes.ts';
import { createRunSchema, type RunSchema } from './run-schema.ts';
import { alterCommandsOf, bodyOf, droppedNames } from './statement-parts.ts';
import { timeoutSetBy } from './timeout-setting.ts';

/**
 * The findings in order of file, line and column; of each migration the up script first.
 *
 * `migrations` are those of one run, in order: the pending ones, with the catalog of the database that they are for. Without a
 * catalog nobody knows which are applied, so that only what the same file makes counts as new.
 */
export function lintMigrations(migrations: readonly Migration[], catalog: LintCatalog | null): LintFinding[] {
  const found = findAll(migrations, catalog);
  // Asked only when a line has allowed nothing: a rule may be silent because this database has few rows.
  let blind: Map<string, Set<string>> | undefined;
  const wouldFire = (file: string, rule: string) => {
    blind ??= new Map(
      findAll(migrations, null).map(({ script, findings }) => [script.file, new Set(findings.map((one) => one.rule))]),
    );
    return blind.get(file)?.has(rule) === true;
  };
  return found.flatMap(({ script, findings }) => {
    const { file, header } = script;
    const hasUse = (rule: string) => (catalog === null ? needsCatalog(rule) : wouldFire(file, rule));
    return applyAllows({ file, allows: header.allows, findings, hasUse }).toSorted(
      (one, other) => one.line - other.line || one.column - other.column,
    );
  });
}

interface LintedScript {
  readonly script: MigrationScript;
  readonly findings: LintFinding[];
}

function findAll(migrations: readonly Migration[], catalog: LintCatalog | null): LintedScript[] {
  const schema = createRunSchema(catalog);
  const run: RunFacts = { indexes: indexesOf(migrations, schema) };
  return migrations.flatMap(({ up, down }) => {
    const upFindings = lintScript(up, 'up', down, schema, run);
    if (!down) return [{ script: up, findings: upFindings }];
    return [
      { script: up, findings: upFindings },
      { script: down, findings: lintScript(down, 'down', up, schema.fork(), run) },
    ];
  });
}

function lintScript(
  script: MigrationScript,
  direction: LintContext['direction'],
  other: MigrationScript | undefined,
  schema: RunSchema,
  run: RunFacts,
): LintFinding[] {
  const rules = direction === 'up' ? lintRules : DOWN_RULES;
  const findings: LintFinding[] = [];
  const units = unitsOf(script);
  const facts = factsOf(script, other, units, schema);
  for (const unit of units) {
    schema.beginUnit();
    for (const statement of statementsOf(unit)) {
      const { tree } = statement;
      const context: LintContext = {
        statement,
        tree,
        alters: alterCommandsOf(tree),
        foreignKeys: foreignKeysOf(tree),
        block: bodyWithoutTexts(bodyOf(statement)),
        file: script.file,
        direction,
        unit,
        header: script.header,
        schema,
        script: facts,
        run,
      };
      for (const rule of rules) findings.push(...findingsOf(rule, context));
      applyStatement(schema, statement, script.file);
    }
  }
  return findings;
}

const DOWN_RULES = lintRules.filter(({ alsoDown }) => alsoDown);

function findingsOf(rule: LintRule, context: LintContext): LintFinding[] {
  const { statement, file } = context;
  return rule.check(context).map(({ about, severity }) => ({
    rule: rule.name,
    severity: severity ?? rule.severity,
    file,
    line: statement.line,
    column: statement.column,
    statement: statement.firstLine,
    message: `${rule.message}: ${about}`,
    instead: rule.instead,
  }));
}

function statementsOf(unit: MigrationUnit): readonly MigrationStatement[] {
  return unit.kind === 'transaction' ? unit.statements : [unit.statement];
}

function factsOf(
  script: MigrationScript,
  other: MigrationScript | undefined,
  units: readonly MigrationUnit[],
  schema: RunSchema,
): ScriptFacts {
  const dropped = script.statements.flatMap(({ tree }) =>
    'DropStmt' in tree && tree.DropStmt.removeType === 'OBJECT_TABLE' ? droppedNames(tree) : [],
  );
  const timeouts = script.statements.filter(({ tree }) => timeoutSetBy(tree) !== undefined).map(({ number }) => number);
  const places = new Map<number, { statements: readonly MigrationStatement[]; index: number }>();
  for (const unit of units) {
    const statements = statementsOf(unit);
    statements.forEach(({ number }, index) => places.set(number, { statements, index }));
  }
  return {
    dropped: new Set(dropped.map((name) => `${schema.schemaOf(name)}.${name.name}`)),
    isIrreversible: other?.header.irreversibleBecause !== undefined,
    otherMakesEnum: (other?.statements ?? []).some(({ tree }) => 'CreateEnumStmt' in tree),
    before: ({ number }) => {
      const place = places.get(number);
      return place ? place.statements.slice(0, place.index) : [];
    },
    setsTimeoutBefore: ({ number }) => timeouts.some((setting) => setting < number),
  };
}

function indexesOf(migrations: readonly Migration[], schema: RunSchema): Map<string, string[][]> {
  const found = new Map<string, string[][]>();
  for (const { up } of migrations) {
    for (const { tree } of up.statements) {
      for (const { table, columns } of indexesMadeBy(tree)) {
        const key = `${schema.schemaOf(table)}.${table.name}`;
        const those = found.get(key);
        if (those) those.push(columns);
        else found.set(key, [columns]);
      }
    }
  }
  return found;
}

function needsCatalog(rule: string): boolean {
  return lintRules.some(({ name, decidedBy }) => name === rule && decidedBy === 'catalog');
}
