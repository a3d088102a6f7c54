import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryStream, parsed, runCli, worlds } from '../../test/support/cli-run.js';
import { MIXED, report, WELL } from '../../test/support/reports.js';
import { ERROR_EXIT_CODES, Nexus3Error } from '../errors.js';
import { COMMANDS, GROUPS } from './commands/index.js';
import type { Operations } from './operations.js';
import { run } from './run.js';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'nexus3-cli-'));
});
afterEach(() => rm(cwd, { recursive: true }));

describe('help', () => {
  it('of everything, as it is asked for and as it is not', async () => {
    const help = await runCli(['--help']);
    expect(help.exitCode).toBe(0);
    expect(help.stdout).toMatchSnapshot();
    expect((await runCli(['help'])).stdout).toBe(help.stdout);
    const bare = await runCli([]);
    expect([bare.exitCode, bare.stdout]).toEqual([2, '']);
    expect(bare.stderr.trimEnd()).toBe(help.stdout.trimEnd());
  });

  it.each(COMMANDS.map(({ name }) => name))('of %s', async (name) => {
    const help = await runCli([...name.split(' '), '--help']);
    expect(help.exitCode).toBe(0);
    expect(help.stdout).toMatchSnapshot();
    expect((await runCli(['help', ...name.split(' ')])).stdout).toBe(help.stdout);
  });

  it.each([40, 80])(
    'is no wider than a terminal of %d columns, but for commands, which are copied whole',
    async (columns) => {
      for (const { name } of COMMANDS) {
        for (const options of [{ columns }, { env: { COLUMNS: String(columns) } }]) {
          const { stdout } = await runCli([...name.split(' '), '--help'], options);
          const wide = stdout.split('\n').filter((line) => line.length > columns);
          expect(
            wide.filter((line) => !/^ {2}(?!-)(\S.*)?nexus3 /.test(line)),
            name,
          ).toEqual([]);
        }
      }
    },
  );

  it('of a group of commands', async () => {
    expect((await runCli(['engine', '--help'])).stdout).toContain('fetch');
    const bare = await runCli(['credentials']);
    expect([bare.exitCode, bare.stdout]).toEqual([2, '']);
    expect(bare.stderr).toContain('needs a command');
  });

  it('says in the overview what each group is', async () => {
    const { stdout } = await runCli(['--help']);
    for (const group of new Set(
      COMMANDS.filter(({ name }) => name.includes(' ')).map(({ name }) => name.split(' ')[0]),
    )) {
      expect(stdout).toMatch(new RegExp(`^  ${String(group)} .* \\S`, 'm'));
      expect(GROUPS).toHaveProperty(String(group));
    }
  });

  it('says of each command the same in the overview as in its own file', async () => {
    for (const { name, summary, load } of COMMANDS) {
      const spec = await load();
      expect([spec.name, spec.summary]).toEqual([name, summary]);
    }
  });

  it('prints the version of package.json', async () => {
    const manifest = parsed(await readFile('package.json', 'utf8'));
    expect((await runCli(['--version'])).stdout).toBe(`${String(manifest['version'])}\n`);
  });
});

describe('wrong usage', () => {
  it.each([
    [['chek'], "Unknown command 'chek'. (Did you mean check?)"],
    [['check', '--fixx'], "Unknown option '--fixx'. (Did you mean --fix?)"],
    [['check', '--plan'], "Option '--plan <ID>' argument missing."],
    [['check', '--plan', 'p_0123456789ab'], '--plan does nothing without --fix.'],
    [['create'], "Missing required argument 'NAME'."],
    [['status', '--config'], "Option '--config <FILE>' argument missing."],
    [['remove', 'a', 'b'], 'Too many arguments'],
    [['logs', 'track', '--lines', '0'], '"0" is not a number of lines.'],
    [['logs', 'track', '--lines', '1e3'], '"1e3" is not a number of lines.'],
    [['credentials', 'get', 'track', '--user', 'root'], 'There is no user "root".'],
    [['create', 'x', '--vault-port', '70000'], '"70000" is not a port.'],
    [['create', '../x'], '"../x" is not a name for an environment.'],
    [['create', 'x'.repeat(300)], 'is not a name for an environment.'],
    [['recover', 'track', '--accept-loss'], '--accept-loss is about a vault.'],
    [['status', '--runtime', 'dokcer'], 'There is no runtime "dokcer" (did you mean "docker"?).'],
    [['check', 'trakc'], 'There is no environment'],
    [['cli', 'track', '--json'], 'has no JSON to print'],
  ])('%j', async (argv, message) => {
    const { exitCode, stdout, stderr } = await runCli(argv, {
      cwd,
      env: { COLUMNS: '400' },
      operations: { ...worlds(cwd), check: (await import('../reconcile/check.js')).check },
    });
    expect(stderr === '' ? stdout : stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  it('is one JSON document where JSON is asked for, wherever --json stands', async () => {
    for (const argv of [['--json', 'chek'], ['chek', '--json'], ['--json']]) {
      const { exitCode, stdout, stderr } = await runCli(argv);
      expect([exitCode, stderr]).toEqual([2, '']);
      expect(parsed(stdout)).toMatchObject({ schema: 'nexus3.error/1', ok: false, error: { code: 'USAGE' } });
    }
  });

  it('shows every mistake of nexus3.yaml', async () => {
    await writeFile(join(cwd, 'nexus3.yaml'), 'runtim: docker\nbind: here\n');
    const { exitCode, stderr } = await runCli(['status'], { cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('nexus3.yaml:1: runtim: there is no such key (did you mean "runtime"?)');
    expect(stderr).toContain('nexus3.yaml:2: bind: "here" is not an IP address');
    expect(stderr).toContain('Try: ');
  });
});

describe('check and status', () => {
  it('print the table or one document, and say by the exit code how it is', async () => {
    const operations = (shown: typeof WELL): Partial<Operations> => ({ ...worlds(cwd), check: async () => shown });
    const table = await runCli(['status'], { cwd, operations: operations(WELL) });
    expect([table.exitCode, table.stderr]).toEqual([0, '']);
    expect(table.stdout).toContain('ENVIRONMENT');
    const bad = await runCli(['status', '--json'], { cwd, operations: operations(MIXED) });
    expect([bad.exitCode, bad.stderr]).toEqual([1, '']);
    expect(parsed(bad.stdout)).toEqual({ schema: 'nexus3.status/1', ...MIXED });
    const lockerError = { code: 'LOCKER_UNREACHABLE', message: 'Locker does not answer.', hint: 'nexus3 up locker' };
    const closed = await runCli(['check'], { cwd, operations: operations({ ...MIXED, lockerError }) });
    expect(closed.exitCode).toBe(3);
    expect(closed.stdout).toContain('nexus3 up locker');
  });

  it('hand on exactly what was typed, global options before and after', async () => {
    const asked: unknown[] = [];
    const made = worlds(cwd);
    const operations: Partial<Operations> = {
      compose: async (overrides, progress, surroundings) => {
        asked.push(overrides);
        return made.compose(overrides, progress, surroundings);
      },
      check: async (_world, options) => {
        asked.push(options);
        return WELL;
      },
    };
    const argv = [
      '--runtime',
      'docker',
      'check',
      'track',
      'web',
      '--fix',
      '--plan',
      'p_0123456789ab',
      '--data-root',
      'd',
      '--quiet',
    ];
    expect((await runCli(argv, { cwd, operations })).stdout).toBe('');
    expect(asked).toEqual([
      { config: undefined, runtime: 'docker', dataRoot: 'd' },
      { envs: ['track', 'web'], fix: true, dryRun: false, deep: false, plan: 'p_0123456789ab' },
    ]);
    expect(made.closed).toBe(1);
  });
});

describe('errors', () => {
  const failing = (error: Error): Partial<Operations> => ({
    ...worlds(cwd),
    check: () => Promise.reject(error),
  });

  it('are said in a fixed order: what happened, the evidence, what to do', async () => {
    const error = new Nexus3Error('DOCKER_UNREACHABLE', 'The Docker engine does not answer.', {
      evidence: ['ENOENT on /var/run/docker.sock'],
      hint: 'Start it: systemctl start docker',
    });
    const { exitCode, stdout, stderr } = await runCli(['check'], { cwd, operations: failing(error) });
    expect([exitCode, stdout]).toEqual([3, '']);
    expect(stderr).toBe(
      'Error: The Docker engine does not answer.\n  ENOENT on /var/run/docker.sock\nTry: Start it: systemctl start docker\n',
    );
  });

  it.each(Object.entries(ERROR_EXIT_CODES))('%s ends with exit code %i', async (code, exitCode) => {
    const error = new Nexus3Error(code as keyof typeof ERROR_EXIT_CODES, 'm', { hint: 'h' });
    const { stdout, exitCode: got } = await runCli(['check', '--json'], { cwd, operations: failing(error) });
    expect(got).toBe(exitCode);
    expect(parsed(stdout)).toEqual({
      schema: 'nexus3.error/1',
      ok: false,
      error: { code, message: 'm', evidence: [], hint: 'h' },
    });
  });

  it('that nobody made on purpose are called a defect, with the stack only for those who ask', async () => {
    const operations = failing(new TypeError('x is undefined'));
    const plain = await runCli(['check'], { cwd, operations });
    expect(plain.exitCode).toBe(1);
    expect(plain.stderr).toContain('This is a defect of nexus3');
    expect(plain.stderr).toContain('TypeError: x is undefined');
    expect(plain.stderr).not.toContain('run.test.ts');
    const debug = await runCli(['check'], { cwd, operations, env: { NEXUS3_DEBUG: '1' } });
    expect(debug.stderr).toContain('run.test.ts');
  });

  it('leave the world closed', async () => {
    const made = worlds(cwd);
    await runCli(['check'], {
      cwd,
      operations: { ...made, compose: made.compose, check: () => Promise.reject(new Error('x')) },
    });
    expect(made.closed).toBe(1);
  });
});

describe('interruption', () => {
  it('closes the world and ends with 130, also when the work never ends', async () => {
    const made = worlds(cwd);
    const controller = new AbortController();
    const operations: Partial<Operations> = {
      compose: made.compose,
      up: async () => {
        controller.abort();
        return new Promise(() => undefined);
      },
    };
    const { exitCode, stdout, stderr } = await runCli(['up'], { cwd, operations, signal: controller.signal });
    expect([exitCode, stdout]).toEqual([130, '']);
    expect(stderr).toContain('Run the same command again');
    expect(made.closed).toBe(1);
  });
});

describe('streams', () => {
  it('goes on with its work when the reader goes away', async () => {
    const reader = spawn('true', { stdio: ['pipe', 'ignore', 'ignore'] });
    await new Promise((resolve) => reader.once('exit', resolve));
    let finished = false;
    const stderr = new MemoryStream();
    const operations: Partial<Operations> = {
      ...worlds(cwd),
      check: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        finished = true;
        return report(MIXED.environments);
      },
    };
    const exitCode = await run(
      ['check'],
      { cwd, env: {}, stdin: new PassThrough(), stdout: reader.stdin, stderr, signal: new AbortController().signal },
      operations as Operations,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([finished, exitCode, stderr.text]).toEqual([true, 1, '']);
  });

  it('updates one line on a terminal and takes it away before the result', async () => {
    const operations: Partial<Operations> = {
      ...worlds(cwd),
      up: async (_world, _options, progress) => {
        progress.step('start track/vault');
        progress.note('waiting for it');
        progress.done('start track/vault');
        progress.step('prove track');
        return WELL;
      },
    };
    const { stderr } = await runCli(['up'], { cwd, operations, columns: 80, env: { NO_COLOR: '1' } });
    expect(stderr.replaceAll('\r\u001b[K', '⏎')).toBe(
      '⏎… start track/vault⏎  waiting for it\n⏎… start track/vault⏎✓ start track/vault\n⏎… prove track⏎',
    );
  });

  it('colours where it is wanted: a terminal, FORCE_COLOR, and neither under NO_COLOR or --no-color', async () => {
    const operations: Partial<Operations> = { ...worlds(cwd), check: async () => MIXED };
    const isColoured = async (
      argv: string[],
      options: { columns?: number; env?: Record<string, string> },
    ): Promise<boolean> =>
      (await runCli(['status', ...argv], { cwd, operations, ...options })).stdout.includes('\u001b[');
    expect(await isColoured([], {})).toBe(false);
    expect(await isColoured([], { columns: 80 })).toBe(true);
    expect(await isColoured([], { env: { FORCE_COLOR: '1' } })).toBe(true);
    expect(await isColoured([], { columns: 80, env: { NO_COLOR: '1' } })).toBe(false);
    expect(await isColoured(['--no-color'], { columns: 80, env: { FORCE_COLOR: '1' } })).toBe(false);
  });
});
