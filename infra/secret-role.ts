// The database roles that have a secret each; the role of `backup` is called nightshift_backup.

export const secretRoles = ['backup', 'drill', 'purge', 'health', 'migrate'] as const;

export type SecretRole = (typeof secretRoles)[number];

/** Name of the secret of a role in Secrets Manager. */
export function secretName(database: string, role: SecretRole): string {
  return `nightshift/${database}/${role}`;
}
