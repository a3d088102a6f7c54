/**
 * While two root keys are accepted, an interrupted change may have put the second one into users.acl, or in force, or
 * neither: all of these are as they should be, as long as the passwords in use are among them.
 */
import type { ConfiguredEnvironment } from '../config/configuration.js';
import type { Role } from '../protocol/environment.js';
import { CONFIG_FILE } from '../protocol/layout.js';
import type { Placement } from '../protocol/redis-conf.js';
import type { AclDifference, Credentials } from '../protocol/users.js';
import { compareUsers } from '../protocol/users.js';
import type { InstanceSpec } from '../runtime/runtime.js';
import type { RenderedFile } from './desired.js';
import { renderFiles } from './desired.js';
import type { FolderFacts } from './folder.js';
import { readFolders } from './folder.js';

type Rendering = readonly RenderedFile[];

/** The first one is what would be rendered now. @param eitherWay also without what is accepted besides */
export function renderings(
  environment: ConfiguredEnvironment,
  role: Role,
  placement: Placement,
  credentials: Credentials,
  eitherWay: boolean,
): readonly Rendering[] {
  const { alsoAccepted, ...alone } = credentials;
  const now = renderFiles(environment, role, placement, credentials);
  return alsoAccepted === undefined || !eitherWay ? [now] : [now, renderFiles(environment, role, placement, alone)];
}

/** What lies there, against that rendering which it is. */
export function readFoldersAs(spec: InstanceSpec, variants: readonly Rendering[]): FolderFacts {
  const [first, ...others] = variants;
  const facts = readFolders(spec, first);
  if (others.length === 0 || !facts.drifted.includes(CONFIG_FILE.usersAcl)) return facts;
  const same = others.map((files) => readFolders(spec, files));
  return same.find(({ drifted }) => !drifted.includes(CONFIG_FILE.usersAcl)) ?? facts;
}

/** How users in force differ from that rendering which they are nearest to. */
export function differencesIn(variants: readonly Rendering[], inForce: readonly string[]): readonly AclDifference[] {
  if (inForce.length === 0) return [];
  const all = variants.map((files) => {
    const users = files.find(({ name }) => name === CONFIG_FILE.usersAcl)?.content.split('\n');
    return users === undefined ? [] : compareUsers(users, inForce);
  });
  return all.reduce((least, one) => (one.length < least.length ? one : least), all[0] ?? []);
}
