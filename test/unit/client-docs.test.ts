/** What docs/client.md shows must compile, against the client as it is. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Without a slash at its end: the compiler looks files up by their exact path. */
const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const PAGE = `${ROOT}/docs/client.md`;
/** A compiler that has the client's types, and those of its drivers, to read. On a busy machine. */
const COMPILE_TIMEOUT_MS = 120_000;

/** Path of a file that is not there → its text. Each block is a module of its own. */
async function blocks(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(PAGE, 'utf8');
  const found = [...text.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code);
  return new Map(found.map((code, index) => [`${ROOT}/docs/client-block-${String(index + 1)}.ts`, code]));
}

function complaints(files: ReadonlyMap<string, string>): readonly string[] {
  const { config } = ts.readConfigFile(`${ROOT}/tsconfig.servers.json`, (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const onDisk = { ...host };
  host.fileExists = (path) => files.has(path) || onDisk.fileExists(path);
  host.getSourceFile = (path, version, ...rest) => {
    const code = files.get(path);
    return code === undefined ? onDisk.getSourceFile(path, version, ...rest) : ts.createSourceFile(path, code, version);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const sources = [...files.keys()].map((path) => program.getSourceFile(path)).filter((one) => one !== undefined);
  return sources
    .flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)])
    .map(({ file, start = 0, messageText }) => {
      const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
      return `${file?.fileName ?? ''}:${String(line)} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
}

describe('docs/client.md', () => {
  it(
    'shows code that compiles',
    async () => {
      const files = await blocks();
      expect(files.size).toBeGreaterThan(8);
      expect(complaints(new Map([...files, [`${ROOT}/docs/wrong.ts`, WRONG]]))).toEqual([
        expect.stringContaining('wrong.ts:2'),
      ]);
    },
    COMPILE_TIMEOUT_MS,
  );
});

/** So that a compiler that finds nothing wrong is not believed. */
const WRONG = `import { connect } from 'nexus3/client';
await connect(7);
export {};
`;
