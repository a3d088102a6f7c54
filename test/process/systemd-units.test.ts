/** The units of docs/backups.md, as systemd reads them. They are not started. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOrInstall, SYSTEMD } from '../support/debian-program.js';

const PAGE = fileURLToPath(new URL('../../docs/backups.md', import.meta.url));
const TIMEOUT_MS = 60_000;
/** As the page has it; a verification wants a program that is there. */
const NEXUS3 = '/usr/local/bin/nexus3';

const hasSystemd = await findOrInstall(SYSTEMD);

interface Unit {
  readonly name: string;
  readonly text: string;
}

function unitsOf(markdown: string): readonly Unit[] {
  return [...markdown.matchAll(/^`\/etc\/systemd\/system\/([\w.-]+)`:\n\n```ini\n([\s\S]*?)^```$/gm)].map(
    ([, name = '', text = '']) => ({ name, text }),
  );
}

/** Of systemd-analyze. */
async function analyze(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  return new Promise((resolve) => {
    const child = execFile('/usr/bin/systemd-analyze', args, { timeout: TIMEOUT_MS }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, said: out + err });
    });
  });
}

describe.skipIf(!hasSystemd)('the systemd units of the documents', () => {
  let folder: string;
  let units: readonly Unit[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexus3-units-'));
    units = unitsOf(await readFile(PAGE, 'utf8'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** @param change to break it @returns what systemd says of those units; empty: nothing */
  async function verified(change: (text: string) => string = (text) => text): Promise<string> {
    const paths = await Promise.all(
      units.map(async ({ name, text }) => {
        const path = join(folder, name);
        await writeFile(path, change(text.replaceAll(NEXUS3, '/bin/true')));
        return path;
      }),
    );
    const { code, said } = await analyze('verify', '--man=no', '--recursive-errors=no', ...paths);
    const ours = said.split('\n').filter((line) => line.includes('nexus3-backup'));
    return code === 0 && ours.length === 0 ? '' : said;
  }

  it('are a service and its timer, and systemd has nothing to say against them', async () => {
    expect(units.map(({ name }) => name)).toEqual(['nexus3-backup.service', 'nexus3-backup.timer']);
    expect(units[0]?.text).toContain(`ExecStart=${NEXUS3} backup create --all --due\n`);
    expect(units[0]?.text).toContain(`ExecStopPost=${NEXUS3} backup prune --all --yes\n`);
    expect(await verified()).toBe('');
    // It would say so.
    expect(await verified((text) => text.replace('Type=oneshot', 'Tpye=oneshot'))).toContain('Tpye');
    expect(await verified((text) => text.replace('*:0/15', 'quarterly-ish'))).not.toBe('');
  });

  it('run every quarter of an hour', async () => {
    const on = /^OnCalendar=(.*)$/m.exec(units[1]?.text ?? '')?.[1] ?? '';
    const { code, said } = await analyze('calendar', '--iterations=5', '--base-time=2026-01-08 12:01:00 UTC', on);
    expect(code, said).toBe(0);
    expect([...said.matchAll(/\d\d:(\d\d):00 UTC/g)].map(([, minute]) => minute)).toEqual(
      expect.arrayContaining(['15', '30', '45', '00']),
    );
    expect((await analyze('calendar', 'quarterly-ish')).code).not.toBe(0);
  });
});
