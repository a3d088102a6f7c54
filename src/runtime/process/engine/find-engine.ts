/** Finds the engine: an ordered list of strategies, of which the first that yields one that works is taken. */
import { Nexus3Error } from '../../../errors.js';
import type { Candidate, Engine, EngineOptions, Strategy, StrategyReport, Surroundings } from './engine.js';
import { explicitEngine } from './strategy-explicit.js';
import { npmPackage } from './strategy-npm-package.js';
import { onPath } from './strategy-path.js';
import { privateRuntime } from './strategy-private-runtime.js';
import { lookAround } from './surroundings.js';
import { tryCandidate } from './trial.js';
import { VerdictCache } from './verdict-cache.js';

const STRATEGIES: readonly Strategy[] = [explicitEngine, npmPackage, onPath, privateRuntime];

const WAYS_OUT = [
  'Any of these will do:',
  'fetch a private one, without root, on a Debian machine: nexus3 engine fetch;',
  'install redis-server or valkey-server 7.2 or newer, with libssl3 and libgomp1;',
  'name one: `engine:` and `module:` in nexus3.yaml, or $NEXUS3_ENGINE and $NEXUS3_MODULE;',
  'use Docker: `runtime: docker` in nexus3.yaml, or --runtime docker.',
].join(' ');

/**
 * The engine to use. Trials are remembered in the engine folder: the second time starts no process.
 * @throws Nexus3Error ENGINE_NOT_FOUND with one line of evidence a strategy. It never goes on without graphs unasked.
 */
export async function findEngine(options: EngineOptions = {}): Promise<Engine> {
  const surroundings = lookAround(options);
  const reports: StrategyReport[] = [];
  for (const strategy of strategiesFor(surroundings)) {
    const report = await ask(strategy, surroundings, 'remembered');
    if (report.engine !== undefined) return report.engine;
    reports.push(report);
  }
  throw engineNotFound(reports);
}

/** What becomes of each strategy, measured anew; the first that works is the chosen one. */
export async function explainEngines(options: EngineOptions = {}): Promise<readonly StrategyReport[]> {
  const surroundings = lookAround(options);
  const considered = strategiesFor(surroundings);
  const reports: StrategyReport[] = [];
  let isChosen = false;
  for (const strategy of STRATEGIES) {
    if (!considered.includes(strategy)) {
      reports.push({ ...notYielding(strategy, 'not looked for, because an engine is named'), chosen: false });
      continue;
    }
    const report = await ask(strategy, surroundings, 'anew');
    reports.push({ ...report, chosen: !isChosen && report.engine !== undefined });
    isChosen ||= report.engine !== undefined;
  }
  return reports;
}

/** A named engine is the only one considered: another one taken silently would not be what was asked for. */
function strategiesFor({ explicitEngine: named }: Surroundings): readonly Strategy[] {
  return named === undefined ? STRATEGIES : [explicitEngine];
}

async function ask(
  strategy: Strategy,
  surroundings: Surroundings,
  how: 'remembered' | 'anew',
): Promise<StrategyReport> {
  const proposal = strategy.propose(surroundings);
  if ('why' in proposal) return notYielding(strategy, proposal.why);
  const cache = new VerdictCache(surroundings.engineHome);
  const reasons: string[] = [];
  for (const candidate of proposal.candidates) {
    const known = how === 'remembered' ? cache.get(candidate) : undefined;
    const verdict = known ?? (await tryCandidate(candidate));
    if (known === undefined) await cache.put(candidate, verdict);
    if (verdict.ok) {
      const { kind, version, graphModule } = verdict;
      const { command, modulePath } = candidate;
      const engine: Engine = { command, modulePath, kind, version, graphModule, strategy: strategy.name };
      return { strategy: strategy.name, title: strategy.title, engine, why: undefined, chosen: true };
    }
    reasons.push(`${programOf(candidate)}: ${verdict.why}`);
  }
  return notYielding(strategy, reasons.join('; '));
}

function notYielding(strategy: Strategy, why: string): StrategyReport {
  return { strategy: strategy.name, title: strategy.title, engine: undefined, why, chosen: false };
}

function programOf({ command }: Candidate): string {
  return command.at(-1) ?? '';
}

function engineNotFound(reports: readonly StrategyReport[]): Nexus3Error {
  return new Nexus3Error('ENGINE_NOT_FOUND', 'There is no engine on this machine that can carry the graph module.', {
    evidence: reports.map(({ title, why }) => `${title}: ${why ?? ''}`),
    hint: WAYS_OUT,
  });
}
