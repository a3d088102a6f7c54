/** Whoever imports nexus3 reads in the editor what each name is: all that the package exports has a comment of its own. */
import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Without a slash at its end: the compiler looks files up by their exact path. */
const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const SOURCES = `${ROOT}/src/`;
/** A compiler that has all of nexus3, and the types of its drivers, to read. On a busy machine. */
const COMPILE_TIMEOUT_MS = 120_000;

/** The sources of what package.json lets a program import: `./dist/index.js` is `src/index.ts`. */
async function entries(): Promise<readonly string[]> {
  const { exports } = JSON.parse(await readFile(`${ROOT}/package.json`, 'utf8')) as {
    readonly exports: Readonly<Record<string, { readonly default: string }>>;
  };
  return Object.values(exports).map((one) => one.default.replace('./dist/', SOURCES).replace(/\.js$/, '.ts'));
}

interface Found {
  /** As a reader would write it: `ClientState.vault`. */
  readonly names: readonly string[];
  /** `src/client/environment-client.ts:65 ClientState.vault`, of those without a comment. */
  readonly bare: readonly string[];
}

/**
 * Walks exports, their members, and the data of this repository that they take or give: one has those in hand, too. What
 * has methods and is not exported by its name is a port of `World`, which a program passes on and never calls.
 */
class Walk {
  readonly #checker: ts.TypeChecker;
  readonly #seen = new Set<ts.Node>();
  readonly #names: string[] = [];
  readonly #bare: string[] = [];

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  exportsOf(source: ts.SourceFile): void {
    const module = this.#checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${source.fileName} exports nothing`);
    for (const symbol of this.#checker.getExportsOfModule(module)) this.#visit(symbol.name, this.#meant(symbol));
  }

  found(): Found {
    return { names: this.#names, bare: this.#bare };
  }

  #visit(name: string, symbol: ts.Symbol): void {
    const own = (symbol.declarations ?? []).filter(isOurs);
    const [first] = own;
    if (first === undefined || this.#seen.has(first)) return;
    for (const one of own) this.#seen.add(one);
    this.#names.push(name);
    if (!own.some(isDocumented)) this.#bare.push(`${placeOf(first)} ${name}`);
    for (const member of this.#membersOf(symbol, first)) this.#visitMember(name, member);
    for (const one of own) this.#visitWhatStandsIn(one, name);
  }

  #visitMember(owner: string, member: ts.Symbol): void {
    if (isPublic(member)) this.#visit(`${owner}.${this.#checker.symbolToString(member)}`, member);
  }

  /** Inherited ones as well; of a function, what hangs on it (`connect.fromUrl`). */
  #membersOf(symbol: ts.Symbol, at: ts.Declaration): readonly ts.Symbol[] {
    if ((symbol.flags & ts.SymbolFlags.Type) !== 0)
      return this.#checker.getDeclaredTypeOfSymbol(symbol).getProperties();
    if ((symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable)) === 0) return [];
    return this.#checker.getTypeOfSymbolAtLocation(symbol, at).getProperties();
  }

  /** The types that a declaration names, and the members of those that it writes out on the spot; never its code. */
  #visitWhatStandsIn(node: ts.Node, name: string): void {
    ts.forEachChild(node, (child) => {
      if (ts.isTypeElement(child) || ts.isClassElement(child)) {
        const member = child.name === undefined ? undefined : this.#checker.getSymbolAtLocation(child.name);
        if (member !== undefined && ts.isTypeLiteralNode(node)) this.#visitMember(name, member);
        return;
      }
      if (ts.isBlock(child) || (ts.isExpression(child) && !ts.isExpressionWithTypeArguments(child))) return;
      if (ts.isTypeReferenceNode(child)) this.#visitData(child.typeName);
      this.#visitWhatStandsIn(child, name);
    });
  }

  #visitData(typeName: ts.EntityName): void {
    const named = this.#checker.getSymbolAtLocation(typeName);
    const symbol = named === undefined ? undefined : this.#meant(named);
    if (symbol === undefined || [...(symbol.members?.values() ?? [])].some(isMethod)) return;
    this.#visit(symbol.name, symbol);
  }

  #meant(symbol: ts.Symbol): ts.Symbol {
    return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : this.#checker.getAliasedSymbol(symbol);
  }
}

function isOurs(declaration: ts.Declaration): boolean {
  return declaration.getSourceFile().fileName.startsWith(SOURCES) && !ts.isTypeParameterDeclaration(declaration);
}

function isMethod({ flags }: ts.Symbol): boolean {
  return (flags & ts.SymbolFlags.Method) !== 0;
}

/** A sentence, that is: a tag alone (`@throws`) does not say what it is. */
function isDocumented(declaration: ts.Declaration): boolean {
  return ts
    .getJSDocCommentsAndTags(declaration)
    .some((one) => ts.isJSDoc(one) && (ts.getTextOfJSDocComment(one.comment) ?? '').trim() !== '');
}

function isPublic({ valueDeclaration }: ts.Symbol): boolean {
  if (valueDeclaration === undefined) return false;
  const name = ts.getNameOfDeclaration(valueDeclaration);
  if (name !== undefined && ts.isPrivateIdentifier(name)) return false;
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (ts.getCombinedModifierFlags(valueDeclaration) & hidden) === 0;
}

function placeOf(declaration: ts.Declaration): string {
  const source = declaration.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(declaration.getStart());
  return `${relative(ROOT, source.fileName)}:${String(line + 1)}`;
}

/** @param extra path of a file that is not there → its text: it is walked as well */
async function walk(extra: ReadonlyMap<string, string>): Promise<Found> {
  const { config } = ts.readConfigFile(`${ROOT}/tsconfig.json`, (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const onDisk = { ...host };
  host.fileExists = (path) => extra.has(path) || onDisk.fileExists(path);
  host.getSourceFile = (path, version, ...rest) => {
    const code = extra.get(path);
    return code === undefined ? onDisk.getSourceFile(path, version, ...rest) : ts.createSourceFile(path, code, version);
  };
  const paths = [...(await entries()), ...extra.keys()];
  const program = ts.createProgram(paths, options, host);
  const walked = new Walk(program.getTypeChecker());
  for (const path of paths) {
    const source = program.getSourceFile(path);
    if (source === undefined) throw new Error(`there is no ${path}`);
    walked.exportsOf(source);
  }
  return walked.found();
}

describe('what the package exports', () => {
  it(
    'says of each name and each member what it is',
    async () => {
      const { names, bare } = await walk(new Map([[`${SOURCES}exported-docs-wrong.ts`, WRONG]]));
      // Of each entry, of a function what hangs on it, of a class, and of data that have no exported name.
      expect(names).toEqual(expect.arrayContaining(['connect.fromUrl', 'CredentialCache.using', 'ReportedVault.keys']));
      expect(bare.map((one) => one.replace('src/exported-docs-wrong.ts', 'wrong'))).toEqual([
        'wrong:15 call',
        'wrong:16 call.twice',
        'wrong:15 call.all',
        'wrong:11 Data.given',
        'wrong:1 Shape',
        'wrong:3 Shape.inner',
        'wrong:6 Shape.list.deep',
        'wrong:20 Thing.size',
        'wrong:23 Inherits',
      ]);
    },
    COMPILE_TIMEOUT_MS,
  );
});

/** So that a walk that finds nothing is not believed. What is private, a port, or inside of code needs no comment. */
const WRONG = `export interface Shape {
  /** Said. */ readonly said: string;
  readonly inner: string;
  /** Said. */
  readonly list: readonly {
    readonly deep: number;
  }[];
}
/** Said. */
interface Data {
  readonly given: string;
}
interface Port { ask(): void }
/** @throws Error */
export function call(options: { all: boolean }, data: Data, port: Port): void {}
call.twice = (): void => {};
/** Said. */
export class Thing {
  readonly #hidden = 1; private readonly hiddenToo = 1;
  get size(): number { return this.#hidden + this.hiddenToo; }
  /** Said. */ method(): void { const inside = { bare: 1 }; void inside; }
}
export interface Inherits extends Data {}
`;
