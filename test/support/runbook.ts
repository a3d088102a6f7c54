/** Runbooks as the documents have them: every `sh` block below a heading `### Runbook: …`, to be executed as it stands. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Nexus } from './nexus.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const BLOCK_TIMEOUT_MS = 180_000;

export interface Runbook {
  readonly title: string;
  readonly blocks: readonly string[];
}

/** @param page `locker.md` */
export async function runbooksOf(page: string): Promise<readonly Runbook[]> {
  return parseRunbooks(await readFile(join(DOCS, page), 'utf8'));
}

export function parseRunbooks(markdown: string): readonly Runbook[] {
  return markdown
    .split(/^(?=#{1,3} )/m)
    .filter((section) => section.startsWith('### Runbook: '))
    .map((section) => ({
      title: /^### Runbook: (.*)$/m.exec(section)?.[1]?.trim() ?? '',
      blocks: [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? ''),
    }));
}

export interface BlockResult {
  readonly code: number | null;
  readonly output: string;
}

/**
 * One block, by `sh -eu` in the folder of nexus3.yaml, with `nexus3` on the PATH.
 * @param stdin what a person would type or pipe in, to each command that asks
 */
export async function runBlock(nexus: Nexus, block: string, stdin = ''): Promise<BlockResult> {
  const bin = join(nexus.root, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'nexus3'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await chmod(join(bin, 'nexus3'), 0o755);
  const { NEXUS3_ROOT_KEY_FILE: _besideTheConfiguration, ...env } = nexus.env;
  const child = spawn('sh', ['-eu', '-c', block], {
    cwd: nexus.root,
    env: { ...env, PATH: `${bin}:${env['PATH'] ?? ''}`, NEXUS3_CONFIG: nexus.configFile },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: BLOCK_TIMEOUT_MS,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  // A block that asks nothing ends before it has read this.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  await once(child, 'close');
  return { code: child.exitCode, output };
}

/** One block after the other, each of which must end well. What is typed in is never shown. */
export async function carryOut(nexus: Nexus, blocks: readonly string[], stdin: string): Promise<void> {
  for (const block of blocks) {
    const { code, output } = await runBlock(nexus, block, stdin);
    expect(code, `${block}\n${output}`).toBe(0);
    expect(output).not.toContain(stdin);
  }
}
