import { describe, expect, it } from 'vitest';
import { Secret } from '../../protocol/secret.js';
import { Bearer, BEARER_AGE_MAX_MS, BEARER_REREAD_MIN_MS } from './bearer.js';

/** A token that can be replaced, and a clock that is told the time. */
class TokenWorld {
  token: string | undefined = 'first';
  down = false;
  now = 0;
  looks = 0;
  readonly failures: unknown[] = [];
  readonly bearer = new Bearer({
    source: {
      version: async () => {
        this.looks += 1;
        if (this.down) throw new Error('down');
        return this.token;
      },
      read: async () => new Secret(this.token ?? ''),
    },
    onFailure: (error) => this.failures.push(error),
    now: () => this.now,
  });
}

describe('the token that is shown', () => {
  it('is the one, as a bearer token and not otherwise', async () => {
    const { bearer } = new TokenWorld();
    for (const good of ['Bearer first', 'bearer first', 'BEARER   first'])
      expect(await bearer.accepts(good)).toBe(true);
    for (const bad of [
      undefined,
      '',
      'first',
      'Bearer',
      'Bearer ',
      'Bearer firs',
      'Bearer first x',
      'Basic first',
      ' Bearer first',
    ]) {
      expect(await bearer.accepts(bad), bad).toBe(false);
    }
  });

  it('is refused once it was replaced for longer than the bound', async () => {
    const state = new TokenWorld();
    expect(await state.bearer.accepts('Bearer first')).toBe(true);
    state.token = 'second';
    state.now = BEARER_AGE_MAX_MS;
    expect(await state.bearer.accepts('Bearer first')).toBe(false);
    expect(await state.bearer.accepts('Bearer second')).toBe(true);
  });

  it('is taken at once when it is the new one, however often others are tried', async () => {
    const state = new TokenWorld();
    await state.bearer.open();
    state.token = 'second';
    for (let attempt = 0; attempt < 1_000; attempt += 1) await state.bearer.accepts('Bearer wrong');
    expect(state.looks).toBe(1);
    state.now = BEARER_REREAD_MIN_MS;
    expect(await state.bearer.accepts('Bearer second')).toBe(true);
    expect(state.looks).toBe(2);
  });

  it('is none when there is none', async () => {
    const state = new TokenWorld();
    await state.bearer.open();
    state.token = undefined;
    state.now = BEARER_AGE_MAX_MS;
    expect(await state.bearer.accepts('Bearer first')).toBe(false);
    expect(await state.bearer.accepts('Bearer ')).toBe(false);
  });

  it('stays good while nobody can be asked', async () => {
    const state = new TokenWorld();
    await state.bearer.open();
    state.down = true;
    state.now = BEARER_AGE_MAX_MS;
    expect(await state.bearer.accepts('Bearer first')).toBe(true);
    expect(state.failures).toHaveLength(1);
    expect(await state.bearer.accepts('Bearer wrong')).toBe(false);
  });
});
