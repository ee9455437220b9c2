// Which secret belongs to which role, from the settings.
import type { CredentialSource } from '../shared/credentials.ts';
import { type RoleSecretSetting, type WantedRole, wantedRoles } from './wanted-roles.ts';

/** One source per role; nothing is read yet. */
export function roleSecretSources(
  settings: Readonly<Record<RoleSecretSetting, string>>,
  open: (secretArn: string) => CredentialSource,
): { role: WantedRole; source: CredentialSource }[] {
  return [
    { role: wantedRoles.BACKUP_SECRET_ARN, source: open(settings.BACKUP_SECRET_ARN) },
    { role: wantedRoles.DRILL_SECRET_ARN, source: open(settings.DRILL_SECRET_ARN) },
    { role: wantedRoles.PURGE_SECRET_ARN, source: open(settings.PURGE_SECRET_ARN) },
    { role: wantedRoles.HEALTH_SECRET_ARN, source: open(settings.HEALTH_SECRET_ARN) },
    { role: wantedRoles.MIGRATE_SECRET_ARN, source: open(settings.MIGRATE_SECRET_ARN) },
  ];
}
