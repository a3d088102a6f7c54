import { describe, expect, it } from 'vitest';
import { failureOf } from '../../test/support/failure.js';
import { parseConfigText } from './load.js';

const read = async (text: string): ReturnType<typeof parseConfigText> => parseConfigText({ path: 'nexus3.yaml', text });

describe('rotation: in nexus3.yaml', () => {
  it('is off by default, and a number of days otherwise', async () => {
    expect((await read('version: 1\n')).rotation).toEqual({ maxAgeDays: undefined });
    expect((await read('version: 1\nrotation: { maxAgeDays: 90 }\n')).rotation).toEqual({ maxAgeDays: 90 });
  });

  it('tells every mistake in it, each with its line', async () => {
    const text = 'version: 1\nrotation:\n  maxAgeDays: 0\n  maxAge: 3\nenvironments: { track: { vault: 1 } }\n';
    const { evidence } = await failureOf(read(text));
    expect(evidence).toMatchInlineSnapshot(`
      [
        "nexus3.yaml:3: rotation.maxAgeDays: 0 is not a number of days (1–3650)",
        "nexus3.yaml:4: rotation.maxAge: there is no such key",
        "nexus3.yaml:5: environments.track.vault: 1 is not a port (1024–65534)",
      ]
    `);
  });
});
