/**
 * Servers put into the text of a host's configuration: what stands there stays as it is, comments, order and indentation,
 * also what somebody has added to an entry of ours. Pure.
 */
import type { Node, ParseError, ParseErrorCode } from 'jsonc-parser';
import { applyEdits, findNodeAtLocation, getNodeValue, modify, parseTree, printParseErrorCode } from 'jsonc-parser';
import { Nexus3Error } from '../../errors.js';
import type { ClientKind } from './clients.js';
import type { Layout } from './insert.js';
import { insertProperty } from './insert.js';
import { beyondJson } from './plain-json.js';
import type { ServerEntry } from './server-entry.js';
import { isOurs } from './server-entry.js';

/** So many mistakes of a file are told. */
const MISTAKES_SHOWN_MAX = 5;
const BYTE_ORDER_MARK = '\u{feff}';

/**
 * @param path of the file, for errors
 * @throws Nexus3Error CLIENT_CONFIG_INVALID with line and column; CLIENT_ENTRY_FOREIGN
 */
export function mergeServers(
  original: string,
  servers: ReadonlyMap<string, ServerEntry>,
  client: ClientKind,
  path: string,
): string {
  const mark = original.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const bare = original.slice(mark.length);
  let text = bare.trim() === '' ? '{}\n' : bare;
  for (const [name, entry] of servers) {
    const section = checkedSection(text, client, path);
    const there = section === undefined ? undefined : one(section, name, text, path);
    if (there !== undefined && !isOurs(getNodeValue(there))) throw foreign(name, path, position(text, there.offset));
    const fields = fieldsOf(entry, client);
    text =
      there === undefined && section !== undefined
        ? insertProperty(text, section, name, fields, layoutOf(text))
        : put(text, [client.section, name], fields, there);
  }
  return mark + text;
}

/** As a whole, for whoever puts it where it belongs. */
export function renderServers(servers: ReadonlyMap<string, ServerEntry>, client: ClientKind): string {
  const entries = [...servers].map(([name, entry]) => [name, fieldsOf(entry, client)] as const);
  return `${JSON.stringify({ [client.section]: Object.fromEntries(entries) }, null, 2)}\n`;
}

function fieldsOf(entry: ServerEntry, client: ClientKind): object {
  return client.saysType ? { type: 'stdio', ...entry } : entry;
}

/** A new entry as a whole; of one that is there, what differs. */
function put(text: string, path: readonly string[], value: object, there: Node | undefined): string {
  if (there === undefined) return changed(text, path, value);
  let result = text;
  for (const [key, wanted] of Object.entries(value) as [string, unknown][]) {
    const fields = key === 'env' ? Object.entries(wanted as object) : undefined;
    if (fields !== undefined && isObject(findNodeAtLocation(there, ['env']))) {
      for (const [name, text] of fields) result = changed(result, [...path, 'env', name], text);
    } else {
      result = changed(result, [...path, key], wanted);
    }
  }
  return result;
}

function changed(text: string, path: readonly string[], value: unknown): string {
  const tree = parseTree(text, [], { allowTrailingComma: true });
  const node = tree === undefined ? undefined : findNodeAtLocation(tree, [...path]);
  if (node !== undefined && JSON.stringify(getNodeValue(node)) === JSON.stringify(value)) return text;
  return applyEdits(text, modify(text, [...path], value, { formattingOptions: formattingOf(text) }));
}

/** The property that servers stand in; undefined: there is none yet. */
function checkedSection(text: string, client: ClientKind, path: string): Node | undefined {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || root === undefined) {
    throw invalid(
      path,
      errors.slice(0, MISTAKES_SHOWN_MAX).map(({ error, offset }) => `${position(text, offset)}: ${wordsOf(error)}`),
    );
  }
  const beyond = client.comments ? [] : beyondJson(text);
  if (beyond.length > 0) {
    const told = beyond.slice(0, MISTAKES_SHOWN_MAX).map(({ what, offset }) => `${position(text, offset)}: ${what}`);
    throw notPlain(path, client, told);
  }
  if (root.type !== 'object') throw invalid(path, [`${position(text, root.offset)}: it is no object, { … }`]);
  const section = one(root, client.section, text, path);
  if (section !== undefined && section.type !== 'object') {
    throw invalid(path, [`${position(text, section.offset)}: ${JSON.stringify(client.section)} is no object, { … }`]);
  }
  return section;
}

/** The value of a property. Where it stands twice, programs do not agree on which counts. @throws CLIENT_CONFIG_INVALID */
function one(object: Node, name: string, text: string, path: string): Node | undefined {
  const [first, second] = (object.children ?? []).filter(({ children }) => children?.[0]?.value === name);
  if (second !== undefined) {
    throw invalid(path, [`${position(text, second.offset)}: ${JSON.stringify(name)} stands there a second time`]);
  }
  return first?.children?.[1];
}

function isObject(node: Node | undefined): boolean {
  return node?.type === 'object';
}

/** As the file has it: its first indented line says with what. */
function layoutOf(text: string): Layout {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  return { indent: indent.startsWith('\t') ? '\t' : indent, eol: text.includes('\r\n') ? '\r\n' : '\n' };
}

function formattingOf(text: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const { indent, eol } = layoutOf(text);
  return indent.startsWith('\t')
    ? { insertSpaces: false, tabSize: 1, eol }
    : { insertSpaces: true, tabSize: indent.length, eol };
}

function position(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${String(before.length)}, column ${String((before.at(-1) ?? '').length + 1)}`;
}

/** `CommaExpected` is `comma expected`. */
function wordsOf(error: ParseErrorCode): string {
  return printParseErrorCode(error).replace(
    /[A-Z]/g,
    (letter, at: number) => `${at === 0 ? '' : ' '}${letter.toLowerCase()}`,
  );
}

function invalid(path: string, evidence: readonly string[]): Nexus3Error {
  return new Nexus3Error(
    'CLIENT_CONFIG_INVALID',
    `${path} cannot be changed: it is not as its program would have it.`,
    {
      evidence,
      hint: 'Put it right there, and run the command again; nothing was changed. Without --client, what belongs there is printed.',
    },
  );
}

function notPlain(path: string, { title }: ClientKind, evidence: readonly string[]): Nexus3Error {
  const message = `${path} cannot be changed: ${title} reads plain JSON, without comments.`;
  return new Nexus3Error('CLIENT_CONFIG_INVALID', message, {
    evidence,
    hint: `Take that out (${title} itself cannot read the file as it is), and run the command again; nothing was changed. Without --client, what belongs there is printed.`,
  });
}

function foreign(name: string, path: string, where: string): Nexus3Error {
  return new Nexus3Error(
    'CLIENT_ENTRY_FOREIGN',
    `${JSON.stringify(name)} stands there already, and is not of nexus3.`,
    {
      evidence: [`${path}, ${where}`],
      hint: 'Give another name with --name.',
    },
  );
}
