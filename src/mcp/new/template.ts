/** The server that `mcp new` writes, as it lies in templates/mcp-server, with what is particular to one put in. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** What stands in the template as `{{name}}`, and so on. */
export interface Particulars {
  readonly name: string;
  readonly environment: string;
  /** One sentence: where it writes and where it reads. */
  readonly routes: string;
  /** Absolute path of nexus3.yaml; empty without one. */
  readonly config: string;
  /** The folder that nexus3 is installed in. */
  readonly nexus3: string;
  /** A client's configuration, as JSON. */
  readonly client: string;
  /** Of the libraries that the server needs: the versions that this nexus3 was tested with. */
  readonly versions: Readonly<Record<string, string>>;
}

/** npm leaves a `.gitignore` out of what it packs, so the template's has no dot. */
const WRITTEN_AS: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/** Paths within the new folder, with their content. */
export async function fillTemplate(folder: string, particulars: Particulars): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.toSorted().map(async (path) => {
    const name = relative(folder, path).split(sep).join('/');
    return [WRITTEN_AS[name] ?? name, fill(name, await readFile(path, 'utf8'), particulars)] as const;
  });
  return new Map(await Promise.all(files));
}

/** Pure. @param name says how what is put in must be quoted there */
export function fill(name: string, text: string, { versions, ...words }: Particulars): string {
  const quoted = quoterFor(name);
  return text.replace(/\{\{(?:(version):)?([^{}]+)\}\}/g, (_, kind: string | undefined, key: string) => {
    const value = kind === 'version' ? versions[key] : (words as Readonly<Record<string, string | undefined>>)[key];
    if (value === undefined) throw new TypeError(`${name} in the template has no ${key} to be filled with`);
    return quoted(value);
  });
}

/** In JSON and TypeScript everything stands between quotes. */
function quoterFor(name: string): (value: string) => string {
  const inJson = (value: string): string => JSON.stringify(value).slice(1, -1);
  if (name.endsWith('.json')) return inJson;
  if (name.endsWith('.ts')) return (value) => inJson(value).replaceAll(`\\"`, '"').replaceAll(`'`, `\\'`);
  return (value) => value;
}
