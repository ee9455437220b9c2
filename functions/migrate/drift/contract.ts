// What drift answers: how the live catalog differs from what the applied migrations make.
import * as z from 'zod';

const count = z.int().min(0);

export const driftResultSchema = z.strictObject({
  outcome: z
    .enum(['none', 'drifted', 'unknown'])
    .describe('unknown: an applied file does not run in a scratch database, so there is nothing to compare with'),
  problem: z.string().nullable().describe('why it is unknown'),
  drift: z
    .array(
      z.strictObject({
        kind: z.enum(['missing', 'extra', 'different']).describe('of the live database'),
        what: z.string().describe('the object, as `index "app"."notes" "notes_pkey"`'),
        migrations: z.string().nullable().describe('its definition as the migrations make it'),
        live: z.string().nullable().describe('its definition in the live database'),
      }),
    )
    .describe('the first of them, in order of name'),
  missingCount: count,
  extraCount: count,
  differentCount: count,
  compared: count.describe('definitions, owners and grants that are the same or in the list'),
  comparison: z.strictObject({
    files: count.describe('applied files that were run'),
    schemasLeftOut: z.array(z.string()).describe('besides those of the system and what belongs to an extension'),
    owners: z.boolean(),
    privileges: z.boolean(),
    invalidIndexes: z.boolean(),
    sequenceValues: z.boolean(),
    rows: z.boolean(),
    role: z.string().describe('who made the objects in the scratch database'),
    serverVersion: z.string(),
  }),
  durationMs: count,
});

export type DriftResult = z.output<typeof driftResultSchema>;
