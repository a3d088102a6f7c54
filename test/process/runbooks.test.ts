/** docs/locker.md: every runbook, executed as it stands, on a nexus3 that is in the state which it is for. */
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../support/command.js';
import { Nexus } from '../support/nexus.js';
import type { Runbook } from '../support/runbook.js';
import { carryOut, parseRunbooks, runBlock, runbooksOf } from '../support/runbook.js';

const PASSPHRASE = 'correct horse battery staple';
const MINUTES = 60_000;
const CHANGED = 'Locker’s data were changed';
const ENVIRONMENTS = { track: 'standard' } as const;

interface Story {
  /** Brings about what the runbook is for. @returns the nexus3 that it is carried out on, where that is another one */
  readonly before?: (nexus: Nexus, kit?: 'keep the kit') => Promise<Nexus | undefined>;
  /** What is true afterwards, besides a healthy `check` and the data still there. */
  readonly after?: (nexus: Nexus) => Promise<void>;
}

const runbooks = await runbooksOf('locker.md');
let nexus: Nexus;
let other: Nexus | undefined;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: ENVIRONMENTS });
  await nexus.report(0, 'up');
  await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
});
afterEach(async () => {
  await other?.[Symbol.asyncDispose]();
  other = undefined;
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

const kit = (on: Nexus): string => join(on.root, 'nexus3-recovery.age');
const rootKey = (on: Nexus): string => join(on.root, 'root.key');

let password = '';
const remember = async (on: Nexus): Promise<undefined> => {
  password = await on.password('track');
};
const isAnother = async (on: Nexus): Promise<void> => {
  expect(await on.password('track')).not.toBe(password);
  const refused = await on.asApplication('track', password, 'PING');
  expect(refused, 'the old password').toBeUndefined();
};

/** Cut off as soon as Locker, or the files, say that it is under way. */
async function cutOff(on: Nexus, args: readonly string[], isUnderWay: () => Promise<boolean>): Promise<void> {
  const kill = new AbortController();
  const running = runCommand(on, args, kill.signal);
  while (!(await isUnderWay())) await new Promise((resolve) => setTimeout(resolve, 20));
  kill.abort();
  await running;
}

const isThere = async (path: string): Promise<boolean> =>
  readFile(path).then(
    () => true,
    () => false,
  );

async function makeKit(on: Nexus): Promise<void> {
  const { code, err } = await on.runWith({ stdin: PASSPHRASE }, 'locker', 'export', '--recovery', kit(on), '--force');
  expect(code, err).toBe(0);
}

const STORIES: Readonly<Record<string, Story>> = {
  'a password has to be replaced': { before: remember, after: isAnother },
  'a rotation was cut off': {
    async before(on) {
      await remember(on);
      await cutOff(on, ['rotate', 'track', '--grace', '1'], async () => {
        const field = await on.admin('locker', 'vault', 'HGET', 'nexus3:locker:l_e0dd:env:track', 'rotation');
        return field !== null;
      });
      return undefined;
    },
    after: isAnother,
  },
  'a program is to read one password': {
    async after(on) {
      const { out } = await on.runWith({}, 'credentials', 'get', 'track', '--token', join(on.root, 'track.token'));
      expect(out.trim()).toBe(await on.password('track'));
    },
  },
  'a token was lost or stolen': {
    before: remember,
    async after(on) {
      await isAnother(on);
      expect((await on.run('locker', 'grants')).out).not.toContain('track.token');
    },
  },
  'make a recovery kit': {
    async after(on) {
      expect(await readFile(kit(on), 'utf8')).toContain('BEGIN AGE');
    },
  },
  'the root key is lost': {
    async before(on) {
      await makeKit(on);
      await remember(on);
      await rm(rootKey(on));
      return undefined;
    },
    after: async (on) => expect(await on.password('track')).toBe(password),
  },
  'somebody may have seen the root key': {
    async before(on) {
      await remember(on);
      await rename(rootKey(on), `${rootKey(on)}.seen`);
      await cp(`${rootKey(on)}.seen`, rootKey(on));
      return undefined;
    },
    async after(on) {
      await isAnother(on);
      expect(await readFile(rootKey(on), 'utf8')).not.toBe(await readFile(`${rootKey(on)}.seen`, 'utf8'));
    },
  },
  'a change of the root key was cut off': {
    async before(on) {
      await cutOff(on, ['locker', 'rekey'], () => isThere(`${rootKey(on)}.next`));
      return undefined;
    },
    after: async (on) => expect(await isThere(`${rootKey(on)}.next`)).toBe(false),
  },
  'root key and recovery kit are lost': {
    async before(on) {
      await remember(on);
      await rm(rootKey(on));
      await rm(kit(on), { force: true });
      return undefined;
    },
    after: isAnother,
  },
  'move to another host': {
    async before(on) {
      await makeKit(on);
      await remember(on);
      await on.run('down');
      const moved = await Nexus.make({ runtime: 'process', environments: ENVIRONMENTS });
      await mkdir(moved.dataRoot, { recursive: true });
      await cp(join(on.dataRoot, 'track'), join(moved.dataRoot, 'track'), { recursive: true });
      await cp(kit(on), kit(moved));
      other = moved;
      return moved;
    },
    async after(on) {
      expect(await on.password('track')).toBe(password);
      await nexus.report(0, 'up');
    },
  },
  [CHANGED]: {
    async before(on, kept) {
      if (kept === undefined) await makeKit(on);
      await remember(on);
      const key = 'nexus3:locker:l_e0dd:env:track';
      const text = String(await on.admin('locker', 'vault', 'HGET', key, 'value:admin'));
      await on.admin('locker', 'vault', 'HSET', key, 'value:default', text);
      await on.admin('locker', 'vault', 'DEL', 'nexus3:locker:audit');
      return undefined;
    },
    after: isAnother,
  },
  'who had this password': {},
};

describe('docs/locker.md', () => {
  it('has a story here for each of its runbooks, and the other way round', () => {
    expect(runbooks.map(({ title }) => title)).toEqual(Object.keys(STORIES));
    expect(runbooks.every(({ blocks }) => blocks.length > 0)).toBe(true);
  });

  it('a runbook that does not work would be seen', async () => {
    const [broken] = parseRunbooks('### Runbook: broken\n\n```sh\nnexus3 rotate nothing\n```\n');
    const { code, output } = await runBlock(nexus, broken?.blocks[0] ?? '');
    expect(code, output).toBe(2);
  });

  it.each(runbooks.map((runbook) => [runbook.title, runbook] as const))(
    '%s',
    async (title: string, { blocks }: Runbook) => {
      const story = STORIES[title] ?? {};
      const on = (await story.before?.(nexus)) ?? nexus;
      await carryOut(on, blocks, PASSPHRASE);
      await story.after?.(on);
      await on.report(0, 'check');
      expect(await on.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
    },
    3 * MINUTES,
  );

  it(
    'Locker’s data were changed, and the kit is older than the last rotation',
    async () => {
      await makeKit(nexus);
      expect((await nexus.run('rotate', '--all', '--grace', '0')).code).toBe(0);
      await STORIES[CHANGED]?.before?.(nexus, 'keep the kit');
      const { blocks } = runbooks.find(({ title }) => title === CHANGED) ?? { blocks: [] };
      await carryOut(nexus, blocks, PASSPHRASE);
      await nexus.report(0, 'check');
      expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
    },
    3 * MINUTES,
  );
});
