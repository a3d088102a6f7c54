/** What answers in the place of a Docker engine, or does not: exit code 3 in bounded time. Needs no Docker. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli-run.js';
import { BEHAVIOURS, end, listen, SILENT, SLOW } from '../support/impostors.js';
import type { Ran } from '../support/refusal.js';
import { refused } from '../support/refusal.js';

describe('in place of a Docker engine', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexus3-engines-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function isUnreachable(host: string, commands = [['check'], ['up'], ['create', 'notes']]): Promise<void> {
    const run = async (...args: readonly string[]): Promise<Ran> => {
      const { exitCode, stdout, stderr } = await runCli(['--runtime', 'docker', '--data-root', folder, ...args], {
        cwd: folder,
        env: { HOME: folder, DOCKER_HOST: host },
      });
      return { code: exitCode, out: stdout, err: stderr };
    };
    for (const words of commands) {
      const { message, evidence } = await refused(run, words, 'DOCKER_UNREACHABLE');
      expect([message, ...evidence].join('\n')).toContain(host.replace(/^unix:\/\//, ''));
    }
  }

  it.each([...BEHAVIOURS, ...SLOW])('one that %s: exit code 3 in bounded time', async (_, behave) => {
    const path = join(folder, 'docker.sock');
    const impostor = await listen(path, behave);
    try {
      await isUnreachable(`unix://${path}`);
    } finally {
      await end(impostor);
    }
  });

  it('one that never says a word: exit code 3 in bounded time', async () => {
    const path = join(folder, 'docker.sock');
    const impostor = await listen(path, SILENT[1]);
    try {
      await isUnreachable(`unix://${path}`, [['check']]);
    } finally {
      await end(impostor);
    }
  });

  it('none: exit code 3, and where it was looked for', async () => {
    await isUnreachable(`unix://${join(folder, 'nothing.sock')}`);
  });

  it('one on another host: its files would not be this host’s', async () => {
    await isUnreachable('tcp://192.0.2.1:2375');
  });
});
