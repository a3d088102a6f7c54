import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { engineDocument, engineWords } from '../render/engine.js';

export const engineFetch: CommandSpec = {
  name: 'engine fetch',
  summary: 'fetch what the local engine needs, without root',
  description:
    'Fetches the libraries of Debian 13 that the npm package’s redis-server needs on an older Debian, into a folder of nexus3’s own, through apt-get. No root, and nothing on the system changes. About 6 MB; run again it changes nothing.',
  arguments: [],
  options: [],
  examples: [{ command: 'nexus3 engine fetch', does: 'once on a Debian 12 machine' }],
  exitCodes: { [EXIT.unreachable]: 'it could not be fetched, or does not run here' },
  schema: 'nexus3.engine/1',
  async run(_args, context) {
    const { io, operations, output, progress } = context;
    const { engine, fetched } = await operations.fetchEngine(await context.configuration(), progress, io);
    output.result(
      'nexus3.engine/1',
      { ok: true, engine: engineDocument(engine), fetched, strategies: [] },
      ({ quiet }) => (quiet ? [] : [`${fetched ? 'Fetched' : 'There already, and working'}: ${engineWords(engine)}`]),
    );
    return EXIT.good;
  },
};
