/** Folders as `up` renders them before it creates an instance, for tests of what runs instances. */
import { randomBytes } from 'node:crypto';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Role } from '../../src/protocol/environment.js';
import { renderBirth, renderMark } from '../../src/protocol/guard.js';
import { BIRTH_FILE, CONFIG_FILE } from '../../src/protocol/layout.js';
import { renderRedisConf } from '../../src/protocol/redis-conf.js';
import { Secret } from '../../src/protocol/secret.js';
import { DEFAULT_SETTINGS } from '../../src/protocol/settings.js';
import { renderHealthScript, renderStartScript } from '../../src/protocol/start-script.js';
import { makeCredentials, renderUsersAcl } from '../../src/protocol/users.js';
import type { InstanceSpec, Runtime } from '../../src/runtime/runtime.js';

/** One password for all purposes is good enough for a test. */
export const PASSWORD = randomBytes(24).toString('hex');

/** Everything that an instance needs to start, owned as the runtime wants it. */
export async function renderFolders(runtime: Runtime, spec: InstanceSpec, role: Role): Promise<void> {
  const placement = runtime.placement(spec, role === 'vault' ? spec.port : spec.port - 1);
  const secret = new Secret(PASSWORD);
  const credentials = makeCredentials(() => secret);
  const incarnation = randomBytes(16).toString('hex');
  const owner = runtime.newFolderOwner();
  for (const folder of [spec.dataDir, spec.configDir]) {
    await mkdir(folder, { recursive: true });
    if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  }
  const write = async (path: string, content: string, mode: number): Promise<void> => {
    await writeFile(path, content, { mode });
    if (owner !== undefined) await chown(path, owner.uid, owner.gid);
  };
  const config = (file: string): string => join(spec.configDir, file);
  const password = role === 'operational' ? secret : undefined;
  await write(config(CONFIG_FILE.redisConf), renderRedisConf(role, placement, DEFAULT_SETTINGS, password), 0o600);
  await write(config(CONFIG_FILE.usersAcl), renderUsersAcl(role, 'standard', credentials), 0o600);
  await write(config(CONFIG_FILE.start), renderStartScript(role, placement), 0o755);
  await write(config(CONFIG_FILE.health), renderHealthScript(placement.port), 0o755);
  if (role === 'vault') {
    await write(config(CONFIG_FILE.mark), renderMark({ incarnation, seq: 0, bytes: 0 }), 0o600);
    await write(join(spec.dataDir, BIRTH_FILE), renderBirth({ state: 'unborn', incarnation }), 0o600);
  }
}
