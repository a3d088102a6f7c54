import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.js';
import { CLIENTS } from './clients.js';
import { mergeServers } from './merge.js';
import { controlEntry, dataEntry } from './server-entry.js';

const PARTS = {
  node: '/usr/bin/node',
  main: '/opt/nexus3/main.js',
  globals: ['--config', '/etc/n.yaml'],
  variables: {},
};
const DATA = dataEntry(PARTS, { envs: ['track'], write: false, token: undefined });
const servers = new Map([['nexus3', DATA]]);
const desktop = (text: string, given = servers): string =>
  mergeServers(text, given, CLIENTS['claude-desktop'], '/c.json');
const vscode = (text: string, given = servers): string => mergeServers(text, given, CLIENTS.vscode, '/m.json');

describe('an entry', () => {
  it('holds paths, and no variable but those that say where files are', () => {
    const variables = { NEXUS3_ROOT_KEY_FILE: '/k', XDG_DATA_HOME: '', SECRET: 's', DOCKER_HOST: 'tcp://u:p@h' };
    expect(dataEntry({ ...PARTS, variables }, { envs: [], write: true, token: undefined })).toEqual({
      command: '/usr/bin/node',
      args: ['/opt/nexus3/main.js', '--config', '/etc/n.yaml', 'mcp', 'serve', '--write'],
      env: { NEXUS3_ROOT_KEY_FILE: '/k' },
    });
    expect(controlEntry({ ...PARTS, variables }, true).env).toEqual({ NEXUS3_ROOT_KEY_FILE: '/k' });
    expect(dataEntry({ ...PARTS, variables }, { envs: [], write: false, token: '/t' }).env).toBeUndefined();
  });
});

describe('merging', () => {
  it.each(['', ' \n', '{}', '{"mcpServers":{}}', '{"mcpServers":{"other":{"command":"x"}},"theme":"dark"}'])(
    'puts an entry into %j, and changes nothing the second time',
    (text) => {
      const merged = desktop(text);
      const before = JSON.parse(text.trim() === '' ? '{}' : text) as { mcpServers?: object };
      expect(JSON.parse(merged)).toEqual({ ...before, mcpServers: { ...before.mcpServers, nexus3: DATA } });
      expect(desktop(merged)).toBe(merged);
    },
  );

  it('keeps comments, order, tabs, commas, line ends and whatever else stands there', () => {
    const text =
      '// mine\r\n{\r\n\t"inputs": [], // none\r\n\t"servers": {\r\n\t\t/* first */\r\n\t\t"other": { "type": "http", "url": "https://x" },\r\n\t},\r\n}\r\n';
    const merged = vscode(text);
    expect(merged).toContain('// mine\r\n{\r\n\t"inputs": [], // none\r\n\t"servers": {\r\n\t\t/* first */\r\n');
    expect(merged).toContain('\t\t"nexus3": {\r\n\t\t\t"type": "stdio",\r\n');
    expect(merged.replaceAll('\r\n', '')).not.toContain('\n');
    expect(vscode(merged)).toBe(merged);
  });

  it.each([
    ['one line', '{ "servers": { "other": { "command": "x", "args": ["a", "b"] } } }\n'],
    [
      'a comment behind the last entry',
      '{\n  "servers": {\n    "other": {"command":"x"} // theirs\n    // and this\n  }\n}\n',
    ],
    ['a comma at the end', '{\n    "servers": {\n        "other": { "command": "x" }, /* theirs */\n    }\n}\n'],
    ['nothing but a comment', '{ "servers": {\n  // none yet\n} }\n'],
    ['odd columns', '{"servers":{\n"other":   {"command" :"x"}}}'],
  ])('touches nothing of what is there: %s', (_, text) => {
    const merged = vscode(text);
    // Without what came, and a comma behind the last entry: letter for letter what it was.
    const own = /\s*"nexus3": \{[^]*?\n\s*\}\n?/;
    const bare = (given: string): string => given.replace(own, '').replaceAll(/[\s,]/g, '');
    expect(merged).toMatch(own);
    expect(bare(merged)).toBe(text.replaceAll(/[\s,]/g, ''));
    for (const line of text.split('\n').filter((one) => one.startsWith('    "') || one.includes('//'))) {
      expect(merged.replace('}, //', '} //')).toContain(line);
    }
    expect(vscode(merged)).toBe(merged);
  });

  it('changes of an entry of its own what differs, and keeps what somebody has added', () => {
    const own = `{ "servers": { "nexus3": { "type": "stdio", "command": "old", /* why */ "args": ["x", "mcp", "serve"], "env": { "A": "b" }, "disabled": true } } }`;
    const entry = dataEntry(
      { ...PARTS, variables: { XDG_DATA_HOME: '/d' } },
      { envs: [], write: false, token: undefined },
    );
    const merged = vscode(own, new Map([['nexus3', entry]]));
    expect(merged).toContain('/* why */');
    const parsed = JSON.parse(merged.replace('/* why */', '')) as { servers: object };
    expect(parsed.servers).toEqual({
      nexus3: { type: 'stdio', ...entry, env: { A: 'b', XDG_DATA_HOME: '/d' }, disabled: true },
    });
    expect(vscode(merged, new Map([['nexus3', entry]]))).toBe(merged);
  });

  it('never takes the place of what belongs to another', async () => {
    const text = '{"mcpServers":{\n  "nexus3":{"command":"npx","args":["-y","other"]}}}';
    const failure = await failureOf(Promise.resolve(text).then((given) => desktop(given)));
    expect(failure).toMatchObject({ code: 'CLIENT_ENTRY_FOREIGN', evidence: ['/c.json, line 2, column 12'] });
  });

  it.each([
    ['{\n  "mcpServers": {,}\n}', 'line 2, column 18'],
    ['{"mcpServers": {}', 'line 1, column 18'],
    ['{} x', 'line 1, column 4'],
    ['[]', 'line 1, column 1: it is no object'],
    ['{"mcpServers": []}', 'line 1, column 16: "mcpServers" is no object'],
    ['{"mcpServers": {}, "mcpServers": {}}', 'a second time'],
    ['{\n// a comment\n}', 'line 2, column 1'],
    ['{"a": 1,}', 'line 1'],
  ])('refuses %j, and says where', async (text, where) => {
    const failure = await failureOf(Promise.resolve(text).then((given) => desktop(given)));
    expect(failure.code).toBe('CLIENT_CONFIG_INVALID');
    expect(failure.evidence.join('\n')).toContain(where);
  });

  it.each([
    [
      'comments',
      '{\n  // mine\n  "mcpServers": {} /* yes */\n}',
      ['line 2, column 3: a comment', 'line 3, column 20: a comment'],
    ],
    ['a comma too many', '{\n  "mcpServers": {},\n}', ['line 2, column 19: a comma with nothing behind it']],
    [
      'both',
      '{ // mine\n  "a": [1, 2,],\n}',
      [
        'line 1, column 3: a comment',
        'line 2, column 13: a comma with nothing behind it',
        'line 2, column 15: a comma with nothing behind it',
      ],
    ],
  ])('says of a file of Claude Desktop that has %s that this is why', async (_, text, where) => {
    const failure = await failureOf(Promise.resolve(text).then((given) => desktop(given)));
    expect(failure.code).toBe('CLIENT_CONFIG_INVALID');
    expect(failure.message).toBe('/c.json cannot be changed: Claude Desktop reads plain JSON, without comments.');
    expect(failure.evidence).toEqual(where);
    expect(failure.hint).toMatch(/^Take that out .*Claude Desktop.*run the command again/);
    expect(vscode(text.replace('mcpServers', 'servers'))).toContain('"nexus3"');
  });
});
