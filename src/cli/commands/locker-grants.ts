import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { grantDocument, renderGrants, stateOf } from '../render/grants.js';

export const lockerGrants: CommandSpec = {
  name: 'locker grants',
  summary: 'list the tokens: who may read what',
  description:
    'Lists every token: what it reads, since when, where it was written, and whether it is in force. One that is not is refused by Locker: --repair puts it in force, and ends what a revoke that was cut off has left.',
  arguments: [],
  options: [{ flags: '--repair', description: 'put in force what Locker knows of' }],
  examples: [
    { command: 'nexus3 locker grants', does: 'all of them' },
    { command: 'nexus3 locker grants --repair', does: 'after Locker’s file of them was lost' },
  ],
  exitCodes: { [EXIT.good]: 'all are in force', [EXIT.problem]: 'at least one is not' },
  schema: 'nexus3.grants/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const world = await context.world();
    const grants = args.flag('repair')
      ? await operations.repairGrants(world, progress)
      : await operations.listGrants(world);
    const ok = grants.every((grant) => stateOf(grant) === 'in force');
    const documents = grants.map((grant) => ({ ...grantDocument(grant), state: stateOf(grant) }));
    output.result('nexus3.grants/1', { ok, grants: documents }, (page) => renderGrants(grants, page));
    return ok ? EXIT.good : EXIT.problem;
  },
};
