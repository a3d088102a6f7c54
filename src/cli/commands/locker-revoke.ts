import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { grantDocument } from '../render/grants.js';

export const lockerRevoke: CommandSpec = {
  name: 'locker revoke',
  summary: 'take a token back',
  description:
    'Takes one token back, or all of an environment: Locker refuses it from now on, and what its holder may have kept opens nothing that is stored later. The password that the holder has seen stays valid until it is rotated.',
  arguments: [{ name: 'TOKEN|ENV', count: 'one', description: 'the token’s id (t_…), or the environment' }],
  options: [],
  examples: [
    { command: 'nexus3 locker revoke t_1a2b3c4d', does: 'this one' },
    { command: 'nexus3 locker revoke track', does: 'every token of track' },
  ],
  exitCodes: { [EXIT.good]: 'taken back', [EXIT.usage]: 'there is no such token; nothing was done' },
  schema: 'nexus3.revoke/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const { revoked, removedFiles } = await operations.revokeTokens(
      await context.world(),
      args.one('TOKEN|ENV'),
      progress,
    );
    const envs = [...new Set(revoked.map(({ env }) => env))];
    const document = { ok: true, revoked: revoked.map(grantDocument), removedFiles };
    output.result('nexus3.revoke/1', document, ({ quiet }) => [
      ...revoked.map(({ id, env }) => `${id} for ${env} is taken back.`),
      ...(quiet ? [] : removedFiles.map((file) => `Deleted: ${file}`)),
      ...(quiet
        ? []
        : envs.map((env) => `What its holder has seen is still valid. To replace it: nexus3 rotate ${env}`)),
    ]);
    return EXIT.good;
  },
};
