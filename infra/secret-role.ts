// The database roles that have a secret each; the role of `backup` is called nightshift_backup.

export const secretRoles = ['backup', 'drill', 'purge', 'health', 'migrate'] as const;

export type SecretRole = (typeof secretRoles)[number];
