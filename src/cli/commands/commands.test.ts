import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryStream, parsed, runCli, worlds } from '../../../test/support/cli-run.js';
import { Secret } from '../../protocol/secret.js';
import type { World } from '../../reconcile/world.js';
import type { Operations, Session } from '../operations.js';
import { Output } from '../output.js';
import { makePrompts } from '../prompts.js';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'nexus3-cli-'));
});
afterEach(() => rm(cwd, { recursive: true }));

describe('confirmation', () => {
  const removing = (): Partial<Operations> & { removed: number } => {
    const operations = {
      ...worlds(cwd),
      removed: 0,
      remove: async () => {
        operations.removed += 1;
        return { name: 'track', movedTo: '/d/.removed/track-1' };
      },
    };
    return operations;
  };

  it('is needed, and cannot be had where nobody can be asked', async () => {
    const operations = removing();
    for (const argv of [
      ['remove', 'track'],
      ['remove', 'track', '--json'],
    ]) {
      const { exitCode, stdout, stderr } = await runCli(argv, { cwd, operations });
      expect(exitCode).toBe(2);
      expect(stdout + stderr).toContain('nexus3 remove track --yes');
    }
    const unasked = await runCli(['remove', 'track', '--json'], { cwd, operations, columns: 80, stdin: 'yes\n' });
    expect(parsed(unasked.stdout)).toMatchObject({ error: { code: 'CONFIRMATION_NEEDED' } });
    expect(operations.removed).toBe(0);
    const yes = await runCli(['remove', 'track', '--yes'], { cwd, operations });
    expect(yes.stdout).toBe('track is removed.\nIts data are in /d/.removed/track-1.\n');
    expect([yes.exitCode, operations.removed]).toEqual([0, 1]);
  });

  it.each([
    [['remove', 'track'], 'yes\n', 0],
    [['remove', 'track'], 'y\n', 2],
    [['remove', 'track'], '', 2],
    [['remove', 'track', '--delete-data'], 'yes\n', 2],
    [['remove', 'track', '--delete-data'], 'track\n', 0],
  ])('on a terminal is asked for: %j answered %j', async (argv, stdin, exitCode) => {
    const operations = removing();
    expect((await runCli(argv, { cwd, operations, columns: 80, stdin })).exitCode).toBe(exitCode);
    expect(operations.removed).toBe(exitCode === 0 ? 1 : 0);
  });

  it('of a recovery shows what it will do first', async () => {
    const operations: Partial<Operations> = {
      ...worlds(cwd),
      previewRecover: async () => ({
        kind: 'vault',
        steps: ['stop the vault', 'start it'],
        warnings: ['What is newer is given up.'],
      }),
    };
    const { exitCode, stderr } = await runCli(['recover', 'track', '--vault', '--accept-loss'], { cwd, operations });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('2. start it');
    expect(stderr).toContain('! What is newer is given up.');
    expect(stderr).toContain('nexus3 recover track --vault --accept-loss --yes');
  });

  it('ends with 130 when the person presses Ctrl-C', async () => {
    const stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
    stdin.isTTY = true;
    const io = {
      cwd,
      env: {},
      stdin,
      stdout: new MemoryStream(80),
      stderr: new MemoryStream(80),
      signal: new AbortController().signal,
    };
    const prompts = makePrompts(io, new Output(io, {}, { json: false, quiet: false, noColor: true }));
    const asked = prompts.confirm({ about: [], expect: 'yes', unasked: 'x --yes' }, false);
    stdin.write('\u0003');
    await expect(asked).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('the other commands', () => {
  it('init writes the file once', async () => {
    const first = await runCli(['init', '--json', '--runtime', 'docker'], { cwd });
    expect(parsed(first.stdout)).toEqual({ schema: 'nexus3.init/1', ok: true, file: join(cwd, 'nexus3.yaml') });
    expect(await readFile(join(cwd, 'nexus3.yaml'), 'utf8')).toContain('runtime: docker');
    const again = await runCli(['init'], { cwd });
    expect([again.exitCode, again.stdout]).toEqual([2, '']);
    expect(again.stderr).toContain('exists already');
  });

  it('create says where it wrote the environment down', async () => {
    const made = {
      name: 'notes',
      kind: 'standard',
      vaultPort: 6600,
      operationalPort: 6601,
      configFile: '/c/nexus3.yaml',
      steps: [{ text: 'x', ms: 1 }],
    } as const;
    const operations: Partial<Operations> = {
      ...worlds(cwd),
      create: async (_world, options, progress) => {
        expect(options).toEqual({ name: 'notes', secure: false, vaultPort: 6600 });
        progress.step('ports');
        progress.done('ports 6600/6601');
        return made;
      },
    };
    const { exitCode, stdout, stderr } = await runCli(['create', 'notes', '--vault-port', '6600'], { cwd, operations });
    expect(exitCode).toBe(0);
    expect(stderr).toBe('done: ports 6600/6601\n');
    expect(stdout).toContain('There was no nexus3.yaml: wrote /c/nexus3.yaml');
    const quiet = await runCli(['create', 'notes', '--vault-port', '6600', '--quiet'], { cwd, operations });
    expect([quiet.stdout, quiet.stderr]).toEqual(['', '']);
    const json = await runCli(['create', 'notes', '--vault-port', '6600', '--json'], { cwd, operations });
    expect([parsed(json.stdout), json.stderr]).toEqual([{ schema: 'nexus3.create/1', ok: true, ...made }, '']);
  });

  it('down fails where something goes on running', async () => {
    const operations: Partial<Operations> = {
      ...worlds(cwd),
      down: async () => ({ stopped: ['track/vault'], alreadyStopped: [], foreign: ['web/vault'] }),
    };
    const { exitCode, stdout } = await runCli(['down'], { cwd, operations });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('web/vault');
  });

  it('credentials get prints the password alone', async () => {
    const asked: string[] = [];
    const operations: Partial<Operations> = {
      ...worlds(cwd),
      getCredential: async (_world, env, name) => {
        asked.push(`${env} ${name}`);
        return new Secret('s3cret');
      },
    };
    expect((await runCli(['credentials', 'get', 'track'], { cwd, operations })).stdout).toBe('s3cret\n');
    const json = await runCli(['credentials', 'get', 'track', '--user', 'admin', '--json'], { cwd, operations });
    expect(parsed(json.stdout)).toEqual({
      schema: 'nexus3.credentials/1',
      ok: true,
      env: 'track',
      user: 'admin',
      username: 'admin',
      host: '127.0.0.1',
      port: 6640,
      password: 's3cret',
      url: 'redis://admin:s3cret@127.0.0.1:6640',
    });
    expect(asked).toEqual(['track default', 'track admin']);
  });

  it('logs shows whose each line is, and follows until interrupted', async () => {
    const controller = new AbortController();
    const runtime = {
      logs: async (spec: { id: { role: string } }, lines: number) => [`${spec.id.role} ${String(lines)}\u001b[2J`],
      followLogs: async (spec: { id: { role: string } }, onLine: (line: string) => void, signal: AbortSignal) => {
        onLine(`new of ${spec.id.role}`);
        if (spec.id.role === 'operational') controller.abort();
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      },
    };
    const operations = worlds(cwd, { runtime: runtime as unknown as World['runtime'] });
    const both = await runCli(['logs', 'track', '--lines', '7'], { cwd, operations });
    expect(both.stdout).toBe('vault       | vault 7?[2J\noperational | operational 7?[2J\n');
    expect((await runCli(['logs', 'track', '--vault'], { cwd, operations })).stdout).toBe('vault 50?[2J\n');
    expect((await runCli(['logs', 'locker', '--operational'], { cwd, operations })).exitCode).toBe(2);
    const json = await runCli(['logs', 'user', '--json'], { cwd, operations });
    expect(parsed(json.stdout)).toEqual({
      schema: 'nexus3.logs/1',
      ok: true,
      env: 'user',
      instances: [{ instance: 'vault', lines: ['vault 50?[2J'] }],
    });
    const followed = await runCli(['logs', 'track', '--follow'], { cwd, operations, signal: controller.signal });
    expect([followed.exitCode, followed.stderr]).toEqual([130, '']);
    expect(followed.stdout).toContain('vault       | new of vault\n');
  });
});

describe('cli', () => {
  function conversation(): Partial<Operations> & { sent: (readonly string[])[]; opened: unknown[]; closed: number } {
    const talk = {
      ...worlds(cwd),
      sent: [] as (readonly string[])[],
      opened: [] as unknown[],
      closed: 0,
      getCredential: async () => new Secret('s3cret'),
      openSession: async (
        address: unknown,
        credential: { user: string; password: Secret } | undefined,
      ): Promise<Session> => {
        talk.opened.push([address, credential?.user, credential?.password.reveal()]);
        return {
          send: async (args) => {
            if (talk.closed > 0) throw new Error('the session is closed');
            talk.sent.push(args);
            await Promise.resolve();
            return args[0] === 'BAD' ? '(error) ERR no' : `"${String(args.length)}"`;
          },
          [Symbol.dispose]: () => {
            talk.closed += 1;
          },
        };
      },
    };
    return talk;
  }

  it('sends one command, dashes and all', async () => {
    const operations = conversation();
    const { exitCode, stdout } = await runCli(['cli', 'track', '--', 'SET', '--json', '-1'], { cwd, operations });
    expect([exitCode, stdout]).toEqual([0, '"3"\n']);
    expect(operations.sent).toEqual([['SET', '--json', '-1']]);
    expect(operations.opened).toEqual([[{ host: '127.0.0.1', port: 6640 }, 'default', 's3cret']]);
    expect(operations.closed).toBe(1);
    expect((await runCli(['cli', 'track', '--', 'BAD'], { cwd, operations: conversation() })).exitCode).toBe(1);
  });

  it('needs no password to read on the operational', async () => {
    const [operations, asAdmin] = [conversation(), conversation()];
    await runCli(['cli', 'track', '--operational', '--', 'GET', 'k'], { cwd, operations });
    await runCli(['cli', 'track', '--operational', '--user', 'admin', '--', 'INFO'], { cwd, operations: asAdmin });
    expect(operations.opened).toEqual([[{ host: '127.0.0.1', port: 6641 }, undefined, undefined]]);
    expect(asAdmin.opened).toEqual([[{ host: '127.0.0.1', port: 6641 }, 'admin', 's3cret']]);
    expect((await runCli(['cli', 'locker', '--operational'], { cwd, operations })).exitCode).toBe(2);
  });

  it('takes a line at a time from a pipe, and says by the exit code whether all went well', async () => {
    const operations = conversation();
    const piped = await runCli(['cli', 'track'], { cwd, operations, stdin: 'SET a "b c"\n\nBAD\r\nGET "a' });
    expect(piped.stdout).toBe('"3"\n(error) ERR no\nInvalid arguments: the quotes do not match.\n');
    expect(operations.sent).toEqual([['SET', 'a', 'b c'], ['BAD']]);
    expect(piped.exitCode).toBe(1);
  });

  it('shows a prompt on a terminal, until exit', async () => {
    const operations = conversation();
    const prompt = await runCli(['cli', 'track'], { cwd, operations, columns: 80, stdin: 'GET a\nBAD\nexit\nGET b\n' });
    expect(prompt.stdout).toContain('track/vault> ');
    expect(operations.sent).toEqual([['GET', 'a'], ['BAD']]);
    expect(prompt.exitCode).toBe(0);
  });
});
