/** Once through every tool of the care server, over whichever transport and on whichever runtime; control-scenarios.ts has the rest. */
import { expect, it } from 'vitest';
import { callTool } from './call-tool.js';
import type { TransportName } from './mcp-client.js';
import { connected } from './mcp-client.js';
import type { Era } from './mcp-link.js';
import { SAYS_YES } from './mcp-link.js';
import { codesOf } from './nexus.js';
import type { Nexus } from './nexus.js';
import { findIn, passwordsOf } from './secret-hunt.js';

/** @param nexus with `track`, which is standard and up */
export function controlTour(nexus: () => Nexus, how: { readonly transport: TransportName; readonly era: Era }): void {
  it('gives every tool of the care of environments, and asks before it changes one', async () => {
    const asked: string[] = [];
    const said: string[] = [];
    const person = (question: string) => {
      asked.push(question);
      return Promise.resolve(SAYS_YES);
    };
    const passwords = new Map(await passwordsOf(nexus(), ['track']));
    const [kept, value] = [`care:${how.transport}:${how.era}`, 'value'];
    await nexus().admin('track', 'vault', 'SET', kept, value);
    const args = ['mcp', 'control', '--allow-changes'];
    await using session = await connected(nexus(), { ...how, person }, { args });
    const called = new Set<string>();
    const call = async (name: string, given: object): Promise<Readonly<Record<string, unknown>>> => {
      const { isError, text, data } = await callTool(session.client, name, given);
      expect(isError, `${name}: ${text}`).toBe(false);
      called.add(name);
      said.push(text);
      return data ?? {};
    };
    const environments = ['track'];

    expect(await call('status', { environments })).toMatchObject({ ok: true, total: 1 });
    await nexus().admin('track', 'operational', 'REPLICAOF', 'NO', 'ONE');
    const found = JSON.stringify(await call('check', { environments }));
    expect(found).toContain('operational-not-replica');
    const { plan } = (await call('plan_fix', { environments })) as { readonly plan: { readonly id: string } };
    expect(asked).toEqual([]);
    expect(await call('apply_fix', { environments, plan: plan.id })).toMatchObject({ ok: true, failures: [] });
    expect(asked.splice(0).join()).toContain(plan.id);
    expect(await call('recover', { environment: 'track' })).toMatchObject({ ok: true, instance: 'operational' });
    expect(asked.splice(0).join()).toContain('Refill the operational of track');
    expect(await call('backup_create', { environments })).toMatchObject({ ok: true });
    expect(asked.splice(0).join()).toContain('Back up 1 environments');
    const listed = (await call('backup_list', { environments })) as {
      readonly environments: readonly [{ readonly backups: readonly [{ readonly id: string }] }];
    };
    const [{ backups }] = listed.environments;
    const [{ id }] = backups;
    expect(await call('restore_preview', { environment: 'track', id })).toMatchObject({
      dryRun: true,
      environments: [{ outcome: 'planned', source: { id } }],
    });
    expect(asked).toEqual([]);
    expect(await call('rotate', { environments, graceSeconds: 0 })).toMatchObject({
      environments: [{ name: 'track', outcome: 'rotated' }],
    });
    expect(asked.splice(0).join()).toContain('Rotate the passwords of track');

    const { tools } = await session.client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual([...called].toSorted());
    expect(codesOf(await nexus().report(0, 'check'), 'track')).toEqual([]);
    expect(await nexus().anonymous('track', 'operational', 'GET', kept)).toBe(value);
    for (const [whose, password] of await passwordsOf(nexus(), ['track'])) {
      expect(passwords.get(whose), whose).not.toBe(password);
      passwords.set(`${whose}, after it was rotated`, password);
    }
    expect(findIn('the answers', said.join('\n'), passwords)).toEqual([]);
  });
}
