/** Passwords for programs in any language, as docs/credentials.md says: its own examples are what runs here. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/break.js';
import { Nexus } from '../support/nexus.js';
import { findOrInstall, PYTHON_WITH_REDIS } from '../support/debian-program.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const MANUAL = await readFile(new URL('../../docs/credentials.md', import.meta.url), 'utf8');
const python = (await findOrInstall(PYTHON_WITH_REDIS)) ? PYTHON_WITH_REDIS.look[0] : undefined;

let nexus: Nexus;
let env: Record<string, string>;
let password: string;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'secure' } });
  await nexus.report(0, 'up');
  password = await nexus.password('track');
  const { out } = await nexus.run('locker', 'grant', 'track', '--json');
  const { file } = JSON.parse(out) as { file: string };
  // A `nexus3` on the path, and nothing else of this nexus3 but the token.
  const bin = join(nexus.root, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'nexus3'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await chmod(join(bin, 'nexus3'), 0o755);
  env = { PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, HOME: '/nonexistent', NEXUS3_TOKEN_FILE: file };
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

/** The code block behind `<!-- test: NAME -->`. */
function example(name: string): string {
  const [, code = ''] = new RegExp(`<!-- test: ${name} -->\\s+\`\`\`\\w+\\n([^]*?)\`\`\``).exec(MANUAL) ?? [];
  expect(code).not.toBe('');
  return code;
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

function start(program: string, args: readonly string[], stdin?: string): ChildProcess {
  const child = spawn(program, [...args], { cwd: nexus.root, env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return child;
}

async function ended(child: ChildProcess): Promise<Ended> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode, out, err };
}

const exec = (...args: readonly string[]): Promise<Ended> =>
  ended(start('nexus3', ['credentials', 'exec', 'track', ...args]));

describe('the examples of the manual', () => {
  it.skipIf(python === undefined)('Python, of at most eight lines, with redis-py', async () => {
    const code = example('python');
    expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(8);
    const { out, err } = await ended(start(python ?? '', ['-c', code]));
    expect(err).toBe('');
    expect(out).toBe('hello from Python\n');
  });

  it.skipIf(python === undefined)('Python, started by `credentials exec`', async () => {
    const { out, err } = await exec('--format', 'url', '--', python ?? '', '-c', example('python-exec'));
    expect(err).toBe('');
    expect(out).toBe('True\n');
  });

  it('a shell', async () => {
    // Whether or not redis-cli is here: what it would be given is what counts.
    const script = example('shell').replace('redis-cli', `sh -c 'echo "$REDISCLI_AUTH $*"' redis-cli`);
    const { out, err } = await ended(start('sh', ['-c', script]));
    expect(err).toBe('');
    expect(out).toBe(`${password} -p ${String((await nexus.spec('track', 'vault')).port)} ping\n`);
  });
});

describe('credentials exec', () => {
  it('hands the password over by a descriptor of its own, to its last byte and then the end', async () => {
    expect((await exec('--', 'sh', '-c', 'cat <&$NEXUS3_CREDENTIALS_FD')).out).toBe(password);
    expect((await exec('--', 'sh', '-c', 'cat <&3; cat <&3')).out, 'what was read is gone').toBe(password);
    const { out } = await exec('--format', 'json', '--', 'sh', '-c', 'cat <&3');
    expect(JSON.parse(out)).toMatchObject({ schema: 'nexus3.credentials/1', password });
  });

  it('shows it in no command line and in no environment, of any process', async () => {
    const child = start('nexus3', ['credentials', 'exec', 'track', '--', 'sleep', '30']);
    const end = ended(child);
    const seen = async (): Promise<readonly string[]> => (await processesBelow(child.pid ?? 0)).map(({ text }) => text);
    await until(async () => (await seen()).some((text) => text.includes('NEXUS3_CREDENTIALS_FD=3')), 'the child');
    const texts = await seen();
    expect(texts.length).toBeGreaterThanOrEqual(2);
    expect(texts.filter((text) => text.includes(password))).toEqual([]);
    child.kill('SIGTERM');
    expect((await end).code).toBe(128 + 15);
  });

  it('passes on input, output and exit code, also of a child that never reads', async () => {
    expect((await exec('--', 'sh', '-c', 'exit 7')).code).toBe(7);
    expect((await exec('--', 'true')).code).toBe(0);
    expect((await exec('--', 'sh', '-c', 'kill -9 $$')).code).toBe(137);
    const child = start('nexus3', ['credentials', 'exec', 'track', '--', 'sh', '-c', 'cat; echo err >&2'], 'piped in');
    expect(await ended(child)).toMatchObject({ code: 0, out: 'piped in', err: 'err\n' });
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)('passes %s on, and waits', async (signal) => {
    const name = signal.slice(3);
    const script = `trap 'echo got ${name}; exit 5' ${name}; echo ready; while :; do sleep 0.05; done`;
    const child = start('nexus3', ['credentials', 'exec', 'track', '--', 'sh', '-c', script]);
    child.stdout?.once('data', () => child.kill(signal));
    expect(await ended(child)).toMatchObject({ code: 5, out: `ready\ngot ${name}\n` });
  });

  it('starts nothing where there is no password or no such command', async () => {
    const missing = await exec('--', '/nonexistent/program');
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('cannot be run')]);
    expect((await exec()).code).toBe(2);
    const denied = await exec('--user', 'admin', '--', 'echo', 'started');
    expect([denied.code, denied.out]).toEqual([2, '']);
  });
});

/** Command lines and environments of a process and all below it. */
async function processesBelow(pid: number): Promise<readonly { pid: number; text: string }[]> {
  const below = new Map<number, number[]>();
  for (const name of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    below.set(parent, [...(below.get(parent) ?? []), Number(name)]);
  }
  const found: { pid: number; text: string }[] = [];
  for (const queue = [pid]; queue.length > 0;) {
    const one = queue.shift() ?? 0;
    queue.push(...(below.get(one) ?? []));
    const read = (file: string): Promise<string> => readFile(`/proc/${String(one)}/${file}`, 'utf8').catch(() => '');
    found.push({ pid: one, text: `${await read('cmdline')}\n${await read('environ')}` });
  }
  return found;
}
