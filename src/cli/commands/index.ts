/** Every command by name, with what the overview says of it. A command's own file is only loaded when it is the one. */
import type { CommandSpec } from '../command.js';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandSpec>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'write a commented nexus3.yaml',
    load: async () => (await import('./init.js')).init,
  },
  {
    name: 'up',
    summary: 'create and start what is missing, and prove it healthy',
    load: async () => (await import('./up.js')).up,
  },
  {
    name: 'down',
    summary: 'stop instances; their data stay',
    load: async () => (await import('./down.js')).down,
  },
  {
    name: 'status',
    summary: 'show all environments in a table',
    load: async () => (await import('./status.js')).status,
  },
  {
    name: 'check',
    summary: 'find everything that is wrong, and repair it with --fix',
    load: async () => (await import('./check.js')).check,
  },
  {
    name: 'create',
    summary: 'add an environment, start it and prove it',
    load: async () => (await import('./create.js')).create,
  },
  {
    name: 'remove',
    summary: 'take an environment away; its data are moved aside',
    load: async () => (await import('./remove.js')).remove,
  },
  {
    name: 'recover',
    summary: 'refill a damaged operational, or rebuild a lost vault',
    load: async () => (await import('./recover.js')).recover,
  },
  {
    name: 'logs',
    summary: 'show what an environment’s servers logged',
    load: async () => (await import('./logs.js')).logs,
  },
  {
    name: 'cli',
    summary: 'talk to a server with the right credentials',
    load: async () => (await import('./cli.js')).cli,
  },
  {
    name: 'credentials get',
    summary: 'print one password from Locker',
    load: async () => (await import('./credentials-get.js')).credentialsGet,
  },
  {
    name: 'locker rekey',
    summary: 'change the root key, with nothing locked out meanwhile',
    load: async () => (await import('./locker-rekey.js')).lockerRekey,
  },
  {
    name: 'locker export',
    summary: 'make a recovery kit, for when the root key is lost',
    load: async () => (await import('./locker-export.js')).lockerExport,
  },
  {
    name: 'locker import',
    summary: 'bring Locker back from a recovery kit',
    load: async () => (await import('./locker-import.js')).lockerImport,
  },
  {
    name: 'locker reset',
    summary: 'begin anew when root key and recovery kit are lost',
    load: async () => (await import('./locker-reset.js')).lockerReset,
  },
  {
    name: 'engine find',
    summary: 'say which local engine is used, and why',
    load: async () => (await import('./engine-find.js')).engineFind,
  },
  {
    name: 'engine fetch',
    summary: 'fetch what the local engine needs, without root',
    load: async () => (await import('./engine-fetch.js')).engineFetch,
  },
];

/** First words that stand for several commands. */
export const GROUPS: Readonly<Record<string, string>> = {
  credentials: 'passwords that Locker keeps',
  locker: 'Locker itself: its root key, and the way back when that is lost',
  engine: 'the local server program of the process runtime',
};
