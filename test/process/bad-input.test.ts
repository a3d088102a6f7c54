/** Ports, plans, the root key and Locker as people get them wrong, against environments that run and hold data. */
import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PROCESS_HANDS, until } from '../support/break.js';
import type { Report } from '../../src/reconcile/report.js';
import { codesOf, freePortBlock, Nexus } from '../support/nexus.js';
import { bounded, hasNoStackTrace, refused } from '../support/refusal.js';

let nexus: Nexus;
let yaml: string;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard', user: 'secure' } });
  await nexus.report(0, 'up');
  await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
  await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'value', 'replication');
  yaml = await readFile(nexus.configFile, 'utf8');
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

/** Whatever was tried: nothing is lost, and nothing is different. */
afterEach(async () => {
  expect(await readFile(nexus.configFile, 'utf8')).toBe(yaml);
  await nexus.report(0, 'check');
  expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
});

const run = (...args: readonly string[]): ReturnType<Nexus['run']> => nexus.run(...args);

/** Takes whoever comes, and never says a word. */
class Stranger {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#sockets.add(socket.on('error', () => undefined)));

  static async on(port: number): Promise<Stranger> {
    const stranger = new Stranger();
    stranger.#server.listen(port, '127.0.0.1');
    await once(stranger.#server, 'listening');
    return stranger;
  }

  /** An operational may have come meanwhile: nobody has read what it said, so its connection would never end by itself. */
  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }
}

describe('a port', () => {
  it('that a stranger listens on is refused, and the stranger is named', async () => {
    const port = await freePortBlock(2);
    const stranger = await Stranger.on(port + 1);
    const { message } = await refused(run, ['create', 'notes', `--vault-port=${String(port)}`], 'PORT_TAKEN');
    expect(message).toContain(String(port + 1));
    expect(message).toContain(`process ${String(process.pid)}`);
    await stranger.stop();
  });

  it('that a neighbour has, or its operational, or that leaves none for the own one, is refused with the neighbour', async () => {
    const { port } = await nexus.spec('track', 'vault');
    for (const [wanted, has] of [
      [port, 'track/vault'],
      [port + 1, 'track/operational'],
      [port - 1, 'track/vault'],
    ] as const) {
      const { evidence } = await refused(run, ['create', 'notes', `--vault-port=${String(wanted)}`], 'CONFIG_INVALID');
      expect(evidence.join('\n')).toContain(has);
    }
  });

  it('that a stranger took while its vault was down: `up` names the stranger and goes on with the rest', async () => {
    await PROCESS_HANDS.stop(nexus, 'track', 'vault');
    await PROCESS_HANDS.stop(nexus, 'user', 'vault');
    const { port } = await nexus.spec('track', 'vault');
    const stranger = await Stranger.on(port);
    const report = await bounded('up', () => nexus.report(1, 'up'));
    expect(report.failures).toEqual([expect.objectContaining({ code: 'PORT_TAKEN', on: 'track/vault' })]);
    expect(report.failures[0]?.message).toContain(String(process.pid));
    expect(report.failures[0]?.hint).not.toBe('');
    expect(codesOf(report, 'user')).toEqual([]);
    expect(codesOf(report, 'track')).toContain('instance-stopped vault');
    await stranger.stop();
    await nexus.report(0, 'up');
  });
});

describe('a plan', () => {
  it('of an unknown id is not carried out, and neither is another one', async () => {
    await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'maxmemory', '64mb');
    const planned = await nexus.report(1, 'check', 'track', '--fix', '--dry-run');
    const { evidence } = await refused(run, ['check', 'track', '--fix', '--plan', 'p_000000000000'], 'PLAN_CHANGED');
    expect(evidence.join()).toContain(planned.plan?.id ?? 'no plan');
    expect(await nexus.findings('track')).toEqual(['config-volatile vault']);

    const fixed = await nexus.report(0, 'check', 'track', '--fix', '--plan', planned.plan?.id ?? '');
    expect(fixed.plan?.id).toBe(planned.plan?.id);
    expect(fixed.applied).toBeGreaterThan(0);
  });

  it('of a world that has changed since is not carried out', async () => {
    await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'maxmemory', '64mb');
    const planned = await nexus.report(1, 'check', 'track', '--dry-run');
    await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await refused(run, ['check', 'track', '--fix', '--plan', planned.plan?.id ?? ''], 'PLAN_CHANGED');
    await nexus.report(0, 'check', 'track', '--fix');
    const { evidence } = await refused(run, ['check', '--fix', '--plan', planned.plan?.id ?? ''], 'PLAN_CHANGED');
    expect(evidence.join()).toContain('nothing to do');
  });

  it('that is no plan id, or is named without --fix, is wrong usage', async () => {
    await refused(run, ['check', '--fix', '--plan', '../x'], 'USAGE');
    await refused(run, ['check', '--plan', 'p_000000000000'], 'USAGE');
  });
});

describe('the root key', () => {
  const keyFile = (): string => join(nexus.root, 'root.key');

  /** What needs it says so at once; what can be seen without it is still shown. */
  async function isMissed(code: string): Promise<void> {
    const seen = await bounded('check', () => run('check', '--json'));
    expect(seen.code, seen.out).toBe(3);
    const report = JSON.parse(seen.out) as Report;
    expect(report.lockerError?.code).toBe(code);
    expect(report.lockerError?.hint).not.toBe('');
    expect(report.environments.find(({ name }) => name === 'track')?.vault.state).toBe('locked');
    const forPerson = await bounded('check', () => run('check'));
    expect(forPerson.out + forPerson.err).toContain(nexus.root);
    for (const words of [['up'], ['check', '--fix']]) {
      const { code: exit, out, err } = await bounded(words.join(' '), () => run(...words, '--json'));
      expect(exit, out).toBe(3);
      hasNoStackTrace(out + err, words.join(' '));
    }
    const { code: exit, err } = await bounded('credentials', () => run('credentials', 'get', 'track'));
    expect(exit, err).toBe(3);
    hasNoStackTrace(err, 'credentials get');
  }

  it('gone: nothing makes another one in its place', async () => {
    await rename(keyFile(), `${keyFile()}.away`);
    try {
      await isMissed('ROOT_KEY_MISSING');
      await expect(stat(keyFile())).rejects.toThrow('ENOENT');
    } finally {
      await rename(`${keyFile()}.away`, keyFile());
    }
  });

  it.each([
    ['cut short', (text: string) => text.slice(0, 30)],
    ['emptied', () => ''],
    ['with a letter changed', (text: string) => text.replace(/.(?= )/, (letter) => (letter === 'A' ? 'B' : 'A'))],
    ['full of something else', () => 'hello\n'],
  ])('%s: not used, and not replaced', async (_, change) => {
    const text = await readFile(keyFile(), 'utf8');
    await writeFile(keyFile(), change(text));
    try {
      await isMissed('ROOT_KEY_INVALID');
      expect(await readFile(keyFile(), 'utf8')).toBe(change(text));
    } finally {
      await writeFile(keyFile(), text);
    }
  });

  it('readable for others: refused until it is closed again', async () => {
    await chmod(keyFile(), 0o644);
    try {
      await isMissed('ROOT_KEY_UNSAFE');
    } finally {
      await chmod(keyFile(), 0o600);
    }
  });
});

describe('Locker', () => {
  it('down: `check` exits 3 with what could be found, `check --fix` repairs Locker first and then the rest', async () => {
    await PROCESS_HANDS.stop(nexus, 'track', 'operational');
    await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'maxmemory', '64mb');
    await PROCESS_HANDS.stop(nexus, 'locker', 'vault');

    const seen = await nexus.report(3, 'check');
    expect(seen.lockerError).toMatchObject({ code: 'LOCKER_UNREACHABLE' });
    expect(codesOf(seen, 'locker')).toEqual(['instance-stopped vault']);
    expect(codesOf(seen, 'track')).toContain('instance-stopped operational');
    expect(seen.lockerError?.hint).toContain('nexus3 up locker');

    const fixed = await bounded('check --fix', () => nexus.report(0, 'check', '--fix'), 60_000);
    expect(fixed.lockerError).toBeNull();
    expect(fixed.environments.every(({ ok }) => ok)).toBe(true);
    expect(await nexus.admin('track', 'vault', 'CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '0']);
  });

  it('down: what needs a credential says so in bounded time', async () => {
    await PROCESS_HANDS.stop(nexus, 'locker', 'vault');
    await refused(run, ['credentials', 'get', 'track'], 'LOCKER_UNREACHABLE');
    await refused(run, ['recover', 'track', '--yes'], 'LOCKER_UNREACHABLE');
    await nexus.report(0, 'up');
  });

  it('answering with a password that is not ours: not written to, not restarted without need, and said', async () => {
    await nexus.admin('locker', 'vault', 'ACL', 'SETUSER', 'default', 'resetpass', '>another');
    const seen = await nexus.report(3, 'check');
    expect(seen.lockerError).toMatchObject({ code: 'LOCKER_PASSWORD_REFUSED' });
    expect(seen.lockerError?.message).toContain('WRONGPASS');
    expect(codesOf(seen, 'locker')).toContain('password-mismatch vault');
    await nexus.report(0, 'check', '--fix');
  });
});
