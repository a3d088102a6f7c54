/** Reads the fields of one map of nexus3.yaml and notes every mistake on the way, instead of stopping at the first. */
import type { Problem } from './problems.js';
import { quote, quoteKey } from './problems.js';
import { didYouMean } from './suggest.js';
import type { MapEntry, MapNode, TreeNode } from './tree.js';

export interface TextRule {
  readonly allowed: RegExp | ((text: string) => boolean);
  /** Completes `"x" is not …`: `a network name (letters, digits, `_`, `.`, `-`)`. */
  readonly meaning: string;
  /** What is not allowed may be a secret: then it is not quoted. */
  readonly secret?: (text: string) => boolean;
}

export interface NumberRule {
  readonly min: number;
  readonly max: number;
  /** Completes `70000 is not …`: `a port (1024–65534)`. */
  readonly meaning: string;
}

export class Fields {
  readonly #entries = new Map<string, MapEntry>();
  readonly #known = new Set<string>();

  constructor(
    readonly node: MapNode,
    readonly path: string,
    readonly problems: Problem[],
  ) {
    for (const entry of node.entries) {
      const first = this.#entries.get(entry.key);
      if (first === undefined) this.#entries.set(entry.key, entry);
      else this.#note(entry, `is written twice; the first is on line ${String(first.line)}`);
    }
  }

  /** The entries, each key once, in the file's order. */
  entries(): IterableIterator<MapEntry> {
    return this.#entries.values();
  }

  lineOf(key: string): number | undefined {
    return this.#entries.get(key)?.line;
  }

  text(key: string, rule: TextRule): string | undefined {
    const entry = this.take(key);
    if (entry === undefined) return undefined;
    const value = this.#scalar(entry, rule.meaning);
    if (value === undefined) return undefined;
    // A number or `no` is fine where text is wanted, as long as it reads as that text.
    const text = String(value);
    const fits = typeof rule.allowed === 'function' ? rule.allowed(text) : rule.allowed.test(text);
    if (fits) return text;
    this.#note(
      entry,
      `${rule.secret?.(text) === true ? 'what is written there' : quote(value)} is not ${rule.meaning}`,
    );
    return undefined;
  }

  /** Texts, no two alike; those that are wrong are left out. */
  list(key: string, itemsMax: number, rule: TextRule): readonly string[] {
    const entry = this.take(key);
    if (entry === undefined || isEmpty(entry.value)) return [];
    if (entry.value.kind !== 'list') {
      this.#note(entry, `is not a list; write ["…", "…"]`);
      return [];
    }
    const { items } = entry.value;
    if (items.length > itemsMax) {
      this.#note(entry, `holds ${String(items.length)}; it may hold ${String(itemsMax)}`);
      return [];
    }
    // Read as if each were a key of its own: so its mistake has its line.
    const lines = new Fields(
      {
        kind: 'map',
        line: entry.line,
        entries: items.map((value, index) => ({ key: String(index + 1), line: value.line, value })),
      },
      this.pathTo(key),
      this.problems,
    );
    const read = new Map<string, number>();
    for (const [index, { line }] of items.entries()) {
      const text = lines.text(String(index + 1), rule);
      if (text === undefined) continue;
      const first = read.get(text);
      if (first === undefined) read.set(text, line);
      else lines.note(String(index + 1), `is written twice; the first is on line ${String(first)}`);
    }
    return [...read.keys()];
  }

  oneOf<const T extends string>(key: string, choices: readonly T[]): T | undefined {
    const entry = this.take(key);
    if (entry === undefined) return undefined;
    const meaning = `one of ${choices.join(', ')}`;
    const value = this.#scalar(entry, meaning);
    if (value === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === String(value));
    if (choice === undefined) {
      this.#note(entry, `${quote(value)} is not ${meaning}${didYouMean(String(value), choices)}`);
    }
    return choice;
  }

  number(key: string, rule: NumberRule): number | undefined {
    const entry = this.take(key);
    if (entry === undefined) return undefined;
    const value = this.#scalar(entry, rule.meaning);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= rule.min && value <= rule.max) return value;
    const quoted = typeof value === 'string' && /^\d+$/.test(value) ? '; write it without quotes' : '';
    this.#note(entry, `${quote(value)} is not ${rule.meaning}${quoted}`);
    return undefined;
  }

  /** A map below this one; an empty value is an empty map. */
  fields(key: string): Fields | undefined {
    const entry = this.take(key);
    return entry === undefined ? undefined : this.below(entry, 'a map of keys and values');
  }

  below(entry: MapEntry, meaning: string): Fields | undefined {
    const path = this.pathTo(entry.key);
    if (entry.value.kind === 'map') return new Fields(entry.value, path, this.problems);
    if (isEmpty(entry.value)) return new Fields({ kind: 'map', line: entry.line, entries: [] }, path, this.problems);
    this.#note(entry, `${describe(entry.value)} is not ${meaning}`);
    return undefined;
  }

  /** The entry, which is known from now on. */
  take(key: string): MapEntry | undefined {
    this.#known.add(key);
    return this.#entries.get(key);
  }

  note(key: string, text: string): void {
    this.problems.push({ line: this.lineOf(key) ?? this.node.line, path: this.pathTo(key), text });
  }

  /** Notes every key that nobody asked for. */
  end(): void {
    for (const entry of this.#entries.values()) {
      if (!this.#known.has(entry.key)) {
        this.#note(entry, `there is no such key${didYouMean(entry.key, this.#known)}`);
      }
    }
  }

  pathTo(key: string): string {
    return this.path === '' ? quoteKey(key) : `${this.path}.${quoteKey(key)}`;
  }

  #scalar(entry: MapEntry, meaning: string): string | number | boolean | undefined {
    if (entry.value.kind !== 'scalar') this.#note(entry, `${describe(entry.value)} is not ${meaning}`);
    else if (entry.value.value === null) this.#note(entry, `is empty; leave the line out, or write ${meaning}`);
    else return entry.value.value;
    return undefined;
  }

  #note(entry: MapEntry, text: string): void {
    this.problems.push({ line: entry.line, path: this.pathTo(entry.key), text });
  }
}

function isEmpty(node: TreeNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

function describe(node: TreeNode): string {
  if (node.kind === 'scalar') return quote(node.value);
  return node.kind === 'map' ? 'a map' : 'a list';
}
