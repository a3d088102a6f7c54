/** docs/disaster-recovery.md: every runbook, executed as it stands, on a nexus3 to which that disaster has just happened. */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/protocol/environment.js';
import { PROCESS_HANDS, until } from '../support/break.js';
import { findOrInstall, RESTIC } from '../support/debian-program.js';
import { Nexus } from '../support/nexus.js';
import { carryOut, runbooksOf, type Runbook } from '../support/runbook.js';

const PASSPHRASE = 'correct horse battery staple';
const MINUTES = 60_000;
const SECOND_MS = 1_000;
/** As the page has it; the test puts the second in its place that is meant. */
const SECOND_OF_THE_PAGE = '2026-01-08T12:00:07Z';
const ENVIRONMENTS = { track: 'standard' } as const;
const YAML = 'backup: {}';

interface Story {
  /** The disaster. @returns the nexus3 that the runbook is carried out on, where that is another one */
  readonly strikes: (nexus: Nexus) => Promise<Nexus | undefined>;
  /** What is true afterwards, besides a healthy `check` and the data still there. */
  readonly after?: (nexus: Nexus) => Promise<void>;
}

const hasRestic = await findOrInstall(RESTIC);
const runbooks = await runbooksOf('disaster-recovery.md');
let nexus: Nexus;
let moved: Nexus | undefined;
/** The last second in which all was well. */
let lastGood = SECOND_OF_THE_PAGE;
let stolen = '';

const kit = (on: Nexus): string => join(on.root, 'nexus3-recovery.age');
const rootKey = (on: Nexus): string => join(on.root, 'root.key');
const repository = (on: Nexus): string => `${on.dataRoot}-backups`;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: ENVIRONMENTS, yaml: YAML });
  await nexus.report(0, 'up');
  await write('SET', 'kept', 'value');
  await write('GRAPH.QUERY', 'projects', "CREATE (:Project {name: 'nexus'})-[:NEEDS]->(:Project {name: 'redis'})");
  await well('backup', 'create', '--all');
  const { code, err } = await nexus.runWith({ stdin: PASSPHRASE }, 'locker', 'export', '--recovery', kit(nexus));
  expect(code, err).toBe(0);
}, 2 * MINUTES);
afterAll(async () => {
  await moved?.[Symbol.asyncDispose]();
  await nexus[Symbol.asyncDispose]();
});

const write = (...words: readonly string[]): Promise<unknown> => nexus.admin('track', 'vault', ...words);

async function well(...words: readonly string[]): Promise<void> {
  const { code, out, err } = await nexus.run(...words);
  expect(code, out + err).toBe(0);
}

/** The data folder of a server that was killed. */
async function lose(env: string, role: Role): Promise<void> {
  const { dataDir } = await nexus.spec(env, role);
  await PROCESS_HANDS.kill(nexus, env, role);
  for (const name of await readdir(dataDir)) await rm(join(dataDir, name), { recursive: true });
}

/** As the vault dates it: everything up to now, and nothing of what comes. */
async function rememberThisSecond(): Promise<void> {
  const now = Math.floor(Date.now() / SECOND_MS) * SECOND_MS;
  lastGood = new Date(now).toISOString().replace('.000Z', 'Z');
  await sleep(now + SECOND_MS - Date.now());
}

async function ruin(): Promise<void> {
  await rememberThisSecond();
  await write('FLUSHALL');
  await write('SET', 'kept', 'junk');
  await write('GRAPH.QUERY', 'projects', 'CREATE (:Junk)');
}

async function count(on: Nexus, label: string): Promise<unknown> {
  const reply = await on.admin('track', 'vault', 'GRAPH.RO_QUERY', 'projects', `MATCH (n:${label}) RETURN count(n)`);
  return Array.isArray(reply) ? reply[1] : reply;
}

async function newestBackup(): Promise<string> {
  const folder = join(repository(nexus), 'track');
  const ids = (await readdir(folder)).filter((name) => /^\d{8}T/.test(name));
  return join(folder, ids.toSorted().at(-1) ?? '');
}

const STORIES: Readonly<Record<string, Story>> = {
  'an operational is wiped': {
    async strikes() {
      await lose('track', 'operational');
      return undefined;
    },
  },
  'a vault’s data are lost': {
    async strikes() {
      await nexus.report(0, 'check', 'track');
      await lose('track', 'vault');
      return undefined;
    },
  },
  'vault and operational are lost': {
    async strikes() {
      await lose('track', 'vault');
      await lose('track', 'operational');
      return undefined;
    },
  },
  'somebody broke the data': {
    async strikes() {
      await ruin();
      return undefined;
    },
  },
  'a password was stolen and used': {
    async strikes() {
      stolen = await nexus.password('track');
      await ruin();
      return undefined;
    },
    async after(on) {
      expect(await on.asApplication('track', stolen, 'PING')).toBeUndefined();
      expect(await count(on, 'Junk')).toEqual([[0]]);
    },
  },
  'Locker is lost': {
    async strikes() {
      await well('backup', 'create', 'locker');
      stolen = await nexus.password('track');
      await lose('locker', 'vault');
      return undefined;
    },
    after: async (on) => expect(await on.password('track')).toBe(stolen),
  },
  'the root key is lost, and backups with it': {
    async strikes(on) {
      await well('backup', 'create', 'track', '--no-verify');
      await rm(rootKey(on));
      return undefined;
    },
  },
  'the whole machine is lost': {
    async strikes(on) {
      const off = `backup: { target: { repository: ${join(on.root, 'off')} } }`;
      if (hasRestic) await on.editYaml((text) => text.replace(YAML, off));
      await well('backup', 'create', '--all');
      await on.run('down');
      moved = await Nexus.make({ runtime: 'process', environments: ENVIRONMENTS, yaml: hasRestic ? off : YAML });
      await cp(rootKey(on), rootKey(moved));
      // With restic, nothing comes from the lost machine but what it had sent away.
      if (!hasRestic) await cp(repository(on), repository(moved), { recursive: true });
      return moved;
    },
    async after() {
      if (hasRestic) {
        expect((await readdir(repository(moved ?? nexus))).toSorted()).toEqual(
          expect.arrayContaining(['locker', 'track']),
        );
        await nexus.editYaml((text) => text.replace(/^backup: .*$/m, YAML));
      }
      await nexus.report(0, 'up');
    },
  },
  'a backup is damaged': {
    async strikes() {
      const dump = join(await newestBackup(), 'dump.rdb');
      const bytes = await readFile(dump);
      bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200);
      await writeFile(dump, bytes);
      return undefined;
    },
    async after() {
      await well('backup', 'verify', 'track');
    },
  },
  'the disk of the backups is lost': {
    async strikes(on) {
      await rm(repository(on), { recursive: true });
      return undefined;
    },
    async after() {
      await well('backup', 'verify', '--all');
    },
  },
};

describe('docs/disaster-recovery.md', () => {
  it('has a story here for each of its runbooks, and the other way round', () => {
    expect(runbooks.map(({ title }) => title)).toEqual(Object.keys(STORIES));
    expect(runbooks.every(({ blocks }) => blocks.length > 0)).toBe(true);
  });

  it.each(runbooks.map((runbook) => [runbook.title, runbook] as const))(
    '%s',
    async (title: string, { blocks }: Runbook) => {
      const story = STORIES[title];
      const on = (await story?.strikes(nexus)) ?? nexus;
      const meant = blocks.map((block) => block.replaceAll(SECOND_OF_THE_PAGE, lastGood));
      await carryOut(on, meant, PASSPHRASE);
      await story?.after?.(on);
      await on.report(0, 'check');
      const isThere = async (): Promise<boolean> =>
        (await on.anonymous('track', 'operational', 'GET', 'kept')) === 'value';
      await until(isThere, 'the data');
      expect(await count(on, 'Project')).toEqual([[2]]);
    },
    2 * MINUTES,
  );
});
