/**
 * The care server, driven by a real client through every tool: what is broken for real is found, planned, agreed to,
 * repaired and measured again. Whichever transport joins the two, and on whichever runtime.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../src/progress.js';
import { SILENT } from '../../src/progress.js';
import { check } from '../../src/reconcile/check.js';
import { recover } from '../../src/reconcile/recover/recover.js';
import type { Report } from '../../src/reconcile/report.js';
import type { Hands } from './break.js';
import { until } from './break.js';
import type { Fields, OpenControl } from './control-talk.js';
import { ControlTalk } from './control-talk.js';
import type { Era, Person } from './mcp-link.js';
import { ERAS, SAYS_YES } from './mcp-link.js';
import type { NexusOptions } from './nexus.js';
import { codesOf, Nexus } from './nexus.js';
import { findIn, passwordsOf } from './secret-hunt.js';

export interface ControlScenarios {
  readonly options: NexusOptions;
  readonly hands: Hands;
  readonly open: OpenControl;
  /** In which eras a question reaches a person over this transport. */
  readonly asksIn?: readonly Era[];
}

const LOOKING = ['backup_list', 'check', 'plan_fix', 'restore_preview', 'status'];
const CHANGING = ['apply_fix', 'backup_create', 'recover', 'rotate'];
/** Refused, when it is its turn. */
const NOBODY = { environments: ['notes'], users: ['replicator'] };
const ENVS = ['locker', 'track', 'notes'];
const YES: Person = () => Promise.resolve(SAYS_YES);
const NO: Person = () => Promise.resolve({ action: 'decline' });

/** @param options with `track` standard and `notes` secure */
export function describeControl({ options, hands, open, asksIn = ERAS }: ControlScenarios): void {
  let nexus: Nexus;
  const passwords = new Map<string, string>();
  const said: string[] = [];
  const talks: ControlTalk[] = [];

  /** Every password that there ever was. */
  async function learnPasswords(): Promise<void> {
    const known = new Set(passwords.values());
    for (const [whose, password] of await passwordsOf(nexus, ENVS)) {
      if (!known.has(password)) passwords.set(`${whose} (${String(passwords.size)})`, password);
    }
  }

  async function talk(
    given: { readonly era?: Era; readonly person?: Person; readonly allowChanges?: boolean } = {},
  ): Promise<ControlTalk> {
    const opened = await ControlTalk.open(nexus, open, { era: 'modern', ...given });
    talks.push(opened);
    return opened;
  }

  async function hangUp(): Promise<void> {
    for (const one of talks.splice(0)) {
      await one[Symbol.asyncDispose]();
      said.push(...one.heard, one.log);
    }
  }

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    await nexus.report(0, 'up');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'projects', "CREATE (:Project {name: 'nexus'})");
    await nexus.report(0, 'check');
    await learnPasswords();
  });

  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  afterEach(async ({ task }) => {
    await hangUp();
    if (task.result?.state === 'fail') await nexus.run('check', '--fix');
  });

  async function breakReplication(): Promise<void> {
    await nexus.admin('track', 'operational', 'REPLICAOF', 'NO', 'ONE');
  }

  async function isWell(): Promise<void> {
    expect(codesOf(await nexus.report(0, 'check'), 'track')).toEqual([]);
    expect(await nexus.admin('track', 'vault', 'GET', 'kept')).toBe('value');
    await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'value');
  }

  describe.each(ERAS)('in the %s era', (era) => {
    it('tools that change something are not even there without --allow-changes', async () => {
      const looking = await talk({ era, allowChanges: false });
      const tools = await looking.tools();
      expect(tools.map(({ name }) => name).toSorted()).toEqual(LOOKING);
      expect(tools.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true);
      for (const name of CHANGING) {
        await expect(looking.call(name, { environments: ['track'], environment: 'track' })).rejects.toThrow(
          /not found/,
        );
      }
      expect(looking.client.getInstructions()).toContain('without --allow-changes');
    });

    it('with it, each says what it does, takes and gives', async () => {
      const tools = await (await talk({ era })).tools();
      expect(tools.map(({ name }) => name).toSorted()).toEqual([...LOOKING, ...CHANGING].toSorted());
      for (const { name, annotations, description, inputSchema, outputSchema, title } of tools) {
        expect(title, name).toBeTruthy();
        expect(description?.length, name).toBeGreaterThan(100);
        expect(inputSchema['additionalProperties'], name).toBe(false);
        expect(outputSchema?.['type'], name).toBe('object');
        expect(annotations?.readOnlyHint, name).toBe(LOOKING.includes(name));
        expect(annotations?.destructiveHint, name).toBe(CHANGING.includes(name) && name !== 'backup_create');
      }
    });

    it('status and check say what the command line says', async () => {
      const { get } = bound(await talk({ era }));
      const { schema: _, ...expected } = (await nexus.report(0, 'status')) as Report & Fields;
      const seen = await get('status');
      expect(Object.keys(seen).toSorted()).toEqual(
        [...Object.keys(expected), 'nextCursor', 'total', 'truncated'].toSorted(),
      );
      expect(steady(seen)).toEqual(steady(expected));
      expect(seen).toMatchObject({ ok: true, total: 3, truncated: false, nextCursor: null, plan: null, applied: 0 });
      const { environments } = await get('check', { environments: ['track'] });
      expect(environments).toEqual([]);
      expect(await get('plan_fix')).toMatchObject({ plan: { id: null, actions: [] } });
    });

    it('a page at a time', async () => {
      const { get, fail } = bound(await talk({ era }));
      const names: unknown[] = [];
      let cursor: unknown = null;
      do {
        const page = await get('status', { limit: 1, ...(cursor === null ? {} : { cursor }) });
        names.push(...(page['environments'] as { name: string }[]).map(({ name }) => name));
        cursor = page['nextCursor'];
        expect(page['truncated']).toBe(cursor !== null);
      } while (cursor !== null && names.length < 10);
      expect(names).toEqual(ENVS);
      expect(await fail('status', { cursor: 'nowhere' })).toMatch(/^USAGE: /);
    });

    it('what nobody can mean is refused, with what to do instead', async () => {
      const { fail } = bound(await talk({ era }));
      expect(await fail('check', { environments: ['trakc'] })).toMatch(/^ENVIRONMENT_UNKNOWN: .*"trakc"/);
      expect(await fail('check', { environment: 'track' })).toMatch(/environment/);
      expect(await fail('apply_fix', { plan: 'rm -rf /' })).toMatch(/plan/);
      expect(await fail('backup_create', {})).toMatch(/^USAGE: Nothing is named/);
      expect(await fail('rotate', { all: true, environments: ['track'] })).toMatch(/^USAGE: /);
      expect(await fail('restore_preview', { environment: 'track', at: 'yesterday' })).toMatch(/^USAGE: /);
      expect(await fail('restore_preview', { environment: 'track', id: '20200101T000000Z-abcd' })).toMatch(
        /^BACKUP_NOT_FOUND: [^]*\nNext: .*backup_list \(environments: \["track"\]\)/,
      );
    });

    it('a stopped instance: found, planned, agreed to, started, measured', async () => {
      await hands.stop(nexus, 'track', 'operational');
      const control = await talk({ era, person: YES });
      const { get } = bound(control);
      expect(await get('status')).toMatchObject({ ok: false });
      const found = await get('check', { environments: ['track'] });
      expect(found).toMatchObject({ total: 1, environments: [{ name: 'track', ok: false }] });
      expect(findings(found)).toMatchObject([
        {
          code: 'instance-stopped',
          fixable: true,
          remedy: 'plan_fix (environments: ["track"]), then apply_fix with the id of that plan',
        },
      ]);
      const { plan } = (await get('plan_fix', { environments: ['track'] })) as unknown as Report;
      expect(plan?.actions.map(({ summary }) => summary)).toContain('start track/operational');
      const told: string[] = [];
      const done = await get(
        'apply_fix',
        { environments: ['track'], plan: plan?.id },
        { onprogress: ({ message }) => told.push(message ?? '') },
      );
      expect(done).toMatchObject({ ok: true, plan: { id: plan?.id }, failures: [] });
      expect(findings(done)).toMatchObject([{ code: 'instance-stopped', fixed: true }]);
      // Of several in a row within a tenth of a second, the last one is told.
      const steps = plan?.actions.map(({ summary }) => summary) ?? [];
      expect(told.filter((text) => steps.some((step) => text.endsWith(step)))).not.toEqual([]);
      if (asksIn.includes(era)) {
        expect(control.asked).toHaveLength(1);
        expect(control.asked[0]).toMatch(/Repair track \(vault: \d+ keys, operational: stopped\) by plan p_/);
        expect(control.asked[0]).toContain('start track/operational (instance-stopped)');
      }
      await isWell();
    });

    it('an operational that was made a master is not touched until a person agrees', async () => {
      await breakReplication();
      const control = await talk({ era, person: NO });
      const { get, fail } = bound(control);
      const { plan } = (await get('plan_fix')) as unknown as Report;
      if (asksIn.includes(era)) {
        expect(await fail('apply_fix', { plan: plan?.id })).toMatch(/^CONFIRMATION_NEEDED: /);
        expect(await nexus.findings('track')).toContain('operational-not-replica operational');
      }
      // Of a host that cannot ask, --allow-changes is the person's word.
      const mute = bound(await talk({ era }));
      expect(await mute.get('apply_fix', { plan: plan?.id })).toMatchObject({ ok: true });
      await isWell();
    });

    it('a plan that is not the plan any more is refused, before the question and after it', async () => {
      await breakReplication();
      const changing: Person = async () => {
        await nexus.admin('track', 'vault', 'ACL', 'SETUSER', 'default', 'resetpass', '>something-else');
        return SAYS_YES;
      };
      const { get, fail } = bound(await talk({ era, person: changing }));
      const { plan } = (await get('plan_fix', { environments: ['track'] })) as unknown as Report;
      const args = { environments: ['track'], plan: plan?.id };
      if (!asksIn.includes(era)) await changing('');
      expect(await fail('apply_fix', args)).toMatch(/^PLAN_CHANGED: [^]*\nNext: .*plan_fix/);
      expect(await nexus.findings('track')).toContain('operational-not-replica operational');
      expect(await fail('apply_fix', args)).toMatch(/^PLAN_CHANGED: /);
      const { plan: now } = (await get('plan_fix', { environments: ['track'] })) as unknown as Report;
      expect(now?.id).not.toBe(plan?.id);
      expect(now?.actions.map(({ because }) => because)).toContain('password-mismatch');
      const mute = bound(await talk({ era }));
      expect(await mute.get('apply_fix', { environments: ['track'], plan: now?.id })).toMatchObject({ ok: true });
      await isWell();
    });
  });

  it('a server that may change nothing writes nothing, not even the mark', async () => {
    const { configDir } = await nexus.spec('track', 'vault');
    const mark = (): Promise<string> => readFile(join(configDir, 'mark'), 'utf8');
    await nexus.admin('track', 'vault', 'SET', 'since', 'x'.repeat(10_000));
    const before = await mark();
    const { get } = bound(await talk({ allowChanges: false }));
    for (const name of LOOKING.filter((one) => one !== 'restore_preview')) await get(name);
    expect(await mark()).toBe(before);
    await nexus.report(0, 'check');
    expect(await mark()).not.toBe(before);
  });

  it('recover: the operational is refilled, when the person has said so; the vault is not touched without need', async () => {
    const control = await talk({ person: YES });
    const { get, fail } = bound(control);
    expect(await fail('recover', { environment: 'track', vault: true })).toMatch(/^RECOVER_REFUSED: /);
    expect(await fail('recover', { environment: 'notes' })).toMatch(
      /^RECOVER_REFUSED: .*Secure[^]*\nNext: .*recover \(environment: "notes", vault: true\)/,
    );
    expect(control.asked).toEqual([]);
    expect(await get('recover', { environment: 'track' })).toMatchObject({ ok: true, instance: 'operational' });
    if (asksIn.includes('modern')) {
      expect(control.asked[0]).toMatch(/^Refill the operational of track \(vault: \d+ keys, operational: \d+ keys\)/);
      expect(control.asked[0]).toContain('1. stop the operational');
    }
    await isWell();
  });

  it('recover: a vault that has lost its data is rebuilt from its operational', async () => {
    const { dataDir } = await nexus.spec('track', 'vault');
    await hands.stop(nexus, 'track', 'vault');
    for (const name of await readdir(dataDir)) await rm(join(dataDir, name), { recursive: true });
    await hands.start(nexus, 'track', 'vault');
    await until(async () => (await nexus.findings('track')).includes('vault-empty vault'));
    const control = await talk({ person: YES });
    const { get, fail } = bound(control);
    const found = findings(await get('check', { environments: ['track'] }));
    expect(found.find(({ code }) => code === 'vault-empty')).toMatchObject({
      fixable: false,
      remedy: expect.stringContaining('recover (environment: "track", vault: true)') as string,
    });
    expect(await fail('recover', { environment: 'track' })).toMatch(/^RECOVER_REFUSED: /);
    const recovered = await get('recover', { environment: 'track', vault: true });
    expect(recovered).toMatchObject({ ok: true, env: 'track', instance: 'vault' });
    await isWell();
  });

  it('backups are made, listed, and what a restore would do is said; none is restored', async () => {
    const { get } = bound(await talk({ person: YES }));
    const made = await get('backup_create', { environments: ['track', 'notes'] });
    expect(made).toMatchObject({
      ok: true,
      environments: [
        { name: 'track', ok: true, backup: { graphs: 1 }, error: null },
        { name: 'notes', ok: true },
      ],
    });
    await nexus.admin('track', 'vault', 'SET', 'kept', 'later');
    const listed = await get('backup_list', { environments: ['track'] });
    expect(listed).toMatchObject({ ok: true, environments: [{ name: 'track', backupsTotal: 1 }] });
    const [{ backups }] = listed['environments'] as [{ backups: [{ id: string }] }];
    const preview = await get('restore_preview', { environment: 'track', id: backups[0].id });
    expect(preview).toMatchObject({
      ok: true,
      dryRun: true,
      environments: [{ env: 'track', outcome: 'planned', source: { kind: 'backup', id: backups[0].id } }],
    });
    expect(await get('restore_preview')).toMatchObject({ dryRun: true });
    expect(await nexus.admin('track', 'vault', 'GET', 'kept')).toBe('later');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
  });

  it('rotate: new passwords, and nobody is shown them', async () => {
    const old = await nexus.password('track');
    const control = await talk({ person: YES });
    const { get } = bound(control);
    const told: string[] = [];
    const rotated = await get(
      'rotate',
      { environments: ['track'], graceSeconds: 1 },
      { onprogress: ({ message }) => told.push(message ?? '') },
    );
    expect(rotated).toMatchObject({ ok: true, environments: [{ name: 'track', outcome: 'rotated' }] });
    await learnPasswords();
    const now = await nexus.password('track');
    expect(now).not.toBe(old);
    expect(await nexus.asApplication('track', old, 'GET', 'kept')).toBeUndefined();
    expect(await nexus.asApplication('track', now, 'GET', 'kept')).toBe('value');
    expect(told.join('\n')).toContain('track accepts old and new passwords');
    if (asksIn.includes('modern')) expect(control.asked[0]).toMatch(/^Rotate the passwords of track:\n1\. /);
    await isWell();
  });

  it('two servers with the same plan: it is done once', async () => {
    await breakReplication();
    const [one, other] = [bound(await talk()), bound(await talk({ era: 'legacy' }))];
    const { plan } = (await one.get('plan_fix')) as unknown as Report;
    const results = await Promise.all([
      one.call('apply_fix', { plan: plan?.id }),
      other.call('apply_fix', { plan: plan?.id }),
    ]);
    const refused = results.filter(({ isError }) => isError === true);
    expect(refused).toHaveLength(1);
    expect(JSON.stringify(refused[0]?.content)).toContain('PLAN_CHANGED');
    await isWell();
  });

  it('a change waits for whoever holds the data root, and says so; another one of the same server is told', async () => {
    await breakReplication();
    const { get, fail } = bound(await talk());
    const { plan } = (await get('plan_fix')) as unknown as Report;
    await using world = await nexus.world();
    const held = await world.locks.acquire('a test', () => undefined);
    const told: string[] = [];
    const waiting = get('apply_fix', { plan: plan?.id }, { onprogress: ({ message }) => told.push(message ?? '') });
    await until(() => told.some((text) => text.includes('waiting for `nexus3 a test`')), 'the wait');
    expect(await fail('rotate', { environments: ['notes'], graceSeconds: 0 })).toMatch(/^LOCK_HELD: .*apply_fix/);
    // Looking is never in anybody's way.
    expect(await get('status')).toMatchObject({ ok: false });
    await held[Symbol.asyncDispose]();
    expect(await waiting).toMatchObject({ ok: true });
    await isWell();
  });

  it('a call that is cancelled while it waits never begins', async () => {
    await breakReplication();
    const { get, call } = bound(await talk());
    const { plan } = (await get('plan_fix')) as unknown as Report;
    await using world = await nexus.world();
    const held = await world.locks.acquire('a test', () => undefined);
    const told: string[] = [];
    const cancel = new AbortController();
    const cancelled = call(
      'apply_fix',
      { plan: plan?.id },
      { signal: cancel.signal, onprogress: ({ message }) => told.push(message ?? '') },
    ).catch((error: unknown) => error);
    await until(() => told.some((text) => text.includes('waiting for')), 'the wait');
    cancel.abort();
    expect(await cancelled).toBeInstanceOf(Error);
    await held[Symbol.asyncDispose]();
    // Whoever waited has had its turn when another change is let in.
    await until(async () => !JSON.stringify(await call('rotate', NOBODY)).includes('LOCK_HELD'), 'the end of the wait');
    expect(await nexus.findings('track')).toContain('operational-not-replica operational');
    expect(await get('apply_fix', { plan: plan?.id })).toMatchObject({ ok: true });
    await isWell();
  });

  it('a plan that is cancelled ends between two of its actions', async () => {
    await hands.stop(nexus, 'track', 'operational');
    await hands.stop(nexus, 'track', 'vault');
    const cancel = new AbortController();
    const progress: Progress = { ...SILENT, done: () => cancel.abort() };
    await using world = await nexus.world();
    const options = { envs: ['track'], fix: true, dryRun: false, deep: false, signal: cancel.signal };
    const report = await check(world, options, progress);
    expect(report).toMatchObject({ ok: false, applied: 1, failures: [{ code: 'INTERRUPTED' }] });
    expect(report.plan?.actions.length).toBeGreaterThan(1);
    await nexus.report(0, 'up', 'track');
    await isWell();
  });

  it('a recovery that is not the one agreed to is none', async () => {
    await using world = await nexus.world();
    const options = { env: 'track', vault: false, acceptLoss: false, agreed: 'vault' };
    await expect(recover(world, options, SILENT)).rejects.toMatchObject({ code: 'PLAN_CHANGED' });
    await isWell();
  });

  it('a client that goes away in the middle of a recovery leaves no half of it behind', async () => {
    const control = await talk();
    let told = '';
    const recovering = bound(control)
      .call('recover', { environment: 'track' }, { onprogress: ({ message }) => (told = message ?? '') })
      .catch(() => undefined);
    await until(() => told !== '', 'the beginning');
    // The client alone: over HTTP its server stays, and would be killed in the middle of it.
    await control.client.close();
    await recovering;
    await until(async () => (await nexus.findings('track')).length === 0, 'the end of it');
    await isWell();
  });

  it('no password was in anything that was said, in any form', async () => {
    await hangUp();
    await learnPasswords();
    expect(passwords.size).toBeGreaterThan(11);
    expect(said.length).toBeGreaterThan(50);
    expect(said.some((text) => text.includes('notifications/progress'))).toBe(true);
    expect(said.flatMap((text, index) => findIn(`message ${String(index)}`, text, passwords))).toEqual([]);
    // The hunt itself works.
    const [password = ''] = passwords.values();
    expect(findIn('x', Buffer.from(`default:${password}`).toString('base64'), passwords)).toHaveLength(1);
  });
}

function bound(control: ControlTalk): Pick<ControlTalk, 'call' | 'get' | 'fail'> {
  return {
    call: (...args) => control.call(...args),
    get: (...args) => control.get(...args),
    fail: (...args) => control.fail(...args),
  };
}

function findings(report: Fields): readonly Report['environments'][number]['findings'][number][] {
  return (report as unknown as Report).environments.flatMap((environment) => environment.findings);
}

/** Without what is another number each time. */
function steady(report: Fields): unknown {
  const moving = new Set([
    'checkedAt',
    'durationMs',
    'memoryBytes',
    'offset',
    'keys',
    'nextCursor',
    'total',
    'truncated',
    'remedy',
    'evidence',
    'lagBytes',
  ]);
  return JSON.parse(JSON.stringify(report, (key, value: unknown) => (moving.has(key) ? undefined : value)));
}
