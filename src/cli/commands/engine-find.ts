import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { engineDocument, engineWords } from '../render/engine.js';
import { clean, hanging } from '../render/text.js';

export const engineFind: CommandSpec = {
  name: 'engine find',
  summary: 'say which local engine is used, and why',
  description:
    'Tries each way to an engine for the process runtime, in order: one named in nexus3.yaml or by $NEXUS3_ENGINE, the npm package’s, one on PATH, a private one that nexus3 fetched. The first that starts and carries the graph module is used. Docker needs none of this.',
  arguments: [],
  options: [],
  examples: [{ command: 'nexus3 engine find', does: 'what there is on this machine' }],
  exitCodes: { [EXIT.unreachable]: 'no engine here can carry the graph module' },
  schema: 'nexus3.engine/1',
  async run(_args, context) {
    const { io, operations, output, progress } = context;
    progress.step('trying each way to an engine');
    const strategies = await operations.explainEngines(await context.configuration(), io);
    const chosen = strategies.find((strategy) => strategy.chosen)?.engine;
    const document = {
      ok: chosen !== undefined,
      engine: chosen === undefined ? null : engineDocument(chosen),
      fetched: null,
      strategies: strategies.map(({ strategy, title, engine, why }) => ({
        strategy,
        title,
        engine: engine === undefined ? null : engineDocument(engine),
        why: why ?? null,
      })),
    };
    output.result('nexus3.engine/1', document, ({ width, paint }) => [
      ...strategies.flatMap(({ title, engine, why, chosen: isChosen }) => {
        const mark = isChosen ? 'used  ' : engine === undefined ? 'no    ' : 'works ';
        const lines = hanging(
          mark,
          clean(`${title}: ${engine === undefined ? (why ?? '') : engineWords(engine)}`),
          width,
        );
        return isChosen ? lines.map((line) => paint('good', line)) : lines;
      }),
      ...(chosen === undefined ? ['No engine here can carry the graph module. Try: nexus3 engine fetch'] : []),
    ]);
    return chosen === undefined ? EXIT.unreachable : EXIT.good;
  },
};
