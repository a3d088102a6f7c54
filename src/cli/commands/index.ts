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
    name: 'restore',
    summary: 'bring back what a backup holds, or any second of the past',
    load: async () => (await import('./restore.js')).restore,
  },
  {
    name: 'aside list',
    summary: 'show what restores and recoveries have kept aside',
    load: async () => (await import('./aside-list.js')).asideList,
  },
  {
    name: 'aside discard',
    summary: 'make room: discard what was kept aside',
    load: async () => (await import('./aside-discard.js')).asideDiscard,
  },
  {
    name: 'backup create',
    summary: 'back vaults up, and prove that each backup loads',
    load: async () => (await import('./backup-create.js')).backupCreate,
  },
  {
    name: 'backup verify',
    summary: 'load backups into a scratch server, and compare',
    load: async () => (await import('./backup-verify.js')).backupVerify,
  },
  {
    name: 'backup list',
    summary: 'show which backups there are, and how good they are',
    load: async () => (await import('./backup-list.js')).backupList,
  },
  {
    name: 'backup prune',
    summary: 'remove the backups that retention does not keep',
    load: async () => (await import('./backup-prune.js')).backupPrune,
  },
  {
    name: 'backup push',
    summary: 'copy all backups off this machine, with restic',
    load: async () => (await import('./backup-push.js')).backupPush,
  },
  {
    name: 'backup pull',
    summary: 'fetch the backups that are missing here, with restic',
    load: async () => (await import('./backup-pull.js')).backupPull,
  },
  {
    name: 'rotate',
    summary: 'new passwords, without a moment in which one is refused',
    load: async () => (await import('./rotate.js')).rotate,
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
    name: 'locker audit',
    summary: 'show who asked Locker for what, and prove that nothing is missing',
    load: async () => (await import('./locker-audit.js')).lockerAudit,
  },
  {
    name: 'credentials exec',
    summary: 'run a command that is handed one password',
    load: async () => (await import('./credentials-exec.js')).credentialsExec,
  },
  {
    name: 'locker grant',
    summary: 'make a token that reads one environment’s password',
    load: async () => (await import('./locker-grant.js')).lockerGrant,
  },
  {
    name: 'locker revoke',
    summary: 'take a token back',
    load: async () => (await import('./locker-revoke.js')).lockerRevoke,
  },
  {
    name: 'locker grants',
    summary: 'list the tokens: who may read what',
    load: async () => (await import('./locker-grants.js')).lockerGrants,
  },
  {
    name: 'locker list',
    summary: 'show all lockers',
    load: async () => (await import('./locker-list.js')).lockerList,
  },
  {
    name: 'locker show',
    summary: 'show one locker: its keys and notes, never a value',
    load: async () => (await import('./locker-show.js')).lockerShow,
  },
  {
    name: 'locker search',
    summary: 'find lockers by what is said of them',
    load: async () => (await import('./locker-search.js')).lockerSearch,
  },
  {
    name: 'locker create',
    summary: 'make a new, empty locker',
    load: async () => (await import('./locker-create.js')).lockerCreate,
  },
  {
    name: 'locker rename',
    summary: 'give a locker another name; its id stays',
    load: async () => (await import('./locker-rename.js')).lockerRename,
  },
  {
    name: 'locker edit',
    summary: 'change the description or the notes of a locker',
    load: async () => (await import('./locker-edit.js')).lockerEdit,
  },
  {
    name: 'locker set',
    summary: 'store a value under a key, or several at once',
    load: async () => (await import('./locker-set.js')).lockerSet,
  },
  {
    name: 'locker reveal',
    summary: 'print one value',
    load: async () => (await import('./locker-reveal.js')).lockerReveal,
  },
  {
    name: 'locker restore',
    summary: 'bring back the value before the last',
    load: async () => (await import('./locker-restore.js')).lockerRestore,
  },
  {
    name: 'locker delete',
    summary: 'delete a key, or a whole locker',
    load: async () => (await import('./locker-delete.js')).lockerDelete,
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
    name: 'mcp new',
    summary: 'write an MCP server of your own, complete and tested',
    load: async () => (await import('./mcp-new.js')).mcpNew,
  },
  {
    name: 'mcp serve',
    summary: 'serve the data of environments to an agent',
    load: async () => (await import('./mcp-serve.js')).mcpServe,
  },
  {
    name: 'mcp control',
    summary: 'serve the care of all environments to an agent',
    load: async () => (await import('./mcp-control.js')).mcpControl,
  },
  {
    name: 'mcp token',
    summary: 'print what a client shows an MCP server over HTTP',
    load: async () => (await import('./mcp-token.js')).mcpToken,
  },
  {
    name: 'mcp config',
    summary: 'print or write the configuration of an agent’s host',
    load: async () => (await import('./mcp-config.js')).mcpConfig,
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
  aside: 'what restores and recoveries have kept, and how to make room',
  backup: 'copies of vaults that are proven to load',
  credentials: 'passwords that Locker keeps',
  engine: 'the local server program of the process runtime',
  mcp: 'servers for agents (Model Context Protocol)',
  locker: 'values that people and servers keep, encrypted, and who read them',
};
