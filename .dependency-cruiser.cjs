/**
 * Which part may know which. Imports point inwards; docs/architecture.md draws the picture. Each rule has been broken
 * on purpose once to see that it fires.
 */
const TEST = '\\.(test|conformance)\\.ts$';
/** Small tools that stand beside each other at the top: errors, progress, files, … */
const CORE = '^src/(?!index|compose)[^/]+\\.ts$';
/** What the middle knows of the adapters: their ports, and the data they hand over. */
const PORTS =
  '^src/(runtime/runtime|redis/observation|locker/(lockers?|custody|audit/audit)|backup/backups|config/configuration|client/(driver|environment-client))\\.ts$';

/** Each library belongs to one folder; whoever wants another one decides here where it lives. */
const LIBRARY_OWNERS = {
  '@redis/client': '^src/redis/',
  falkordb: '^src/redis/',
  '@modelcontextprotocol/server': '^src/mcp/',
  '@modelcontextprotocol/node': '^src/mcp/',
  zod: '^src/mcp/',
  'jsonc-parser': '^src/mcp/client-config/',
  dockerode: '^src/runtime/docker/',
  yaml: '^src/config/',
  commander: '^src/cli/',
  'age-encryption': '^src/age/',
  croner: '^src/schedule\\.ts$',
  'p-limit': '^src/concurrency\\.ts$',
};
/** Libraries whose types are part of what the client library hands out. */
const DRIVERS = new Set(['@redis/client', 'falkordb']);
/** What seals and opens files of age, for whoever has a secret to seal. */
const AGE = '^src/age/';
const libraryPath = (name) => `^node_modules/(@types/)?${name}/`;

/** A part may import itself, and what is listed. */
const layer = (name, comment, path, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path, pathNot: TEST },
  to: { path: '^src/', pathNot: [path, ...allowed] },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Two modules that need each other are one module, or miss a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    layer('protocol-is-innermost', 'The protocol knows nothing of ours but itself.', '^src/protocol/', []),
    {
      name: 'core-is-small',
      comment: 'The small tools at the top of src/ may know each other, nothing else.',
      severity: 'error',
      from: { path: CORE, pathNot: TEST },
      to: { path: '^src/', pathNot: CORE },
    },
    {
      name: 'ports-know-no-adapter',
      comment: 'A port is what the middle may know; it must not bring its adapter along.',
      severity: 'error',
      from: { path: PORTS },
      to: { path: '^src/', pathNot: [PORTS, CORE, '^src/protocol/'] },
    },
    layer('redis-adapter', 'The connection layer knows the protocol, not who asks.', '^src/redis/', [
      CORE,
      '^src/protocol/',
      '^src/client/(driver|environment-client)\\.ts$',
    ]),
    layer('client', 'The client library knows ports; compose-client.ts hands it its drivers.', '^src/client/', [
      CORE,
      PORTS,
      '^src/protocol/',
    ]),
    layer('docker-adapter', 'Runtimes know the runtime port, never each other.', '^src/runtime/docker/', [
      CORE,
      '^src/protocol/',
      '^src/runtime/[^/]+\\.ts$',
    ]),
    layer('process-adapter', 'Runtimes know the runtime port, never each other.', '^src/runtime/process/', [
      CORE,
      '^src/protocol/',
      '^src/runtime/[^/]+\\.ts$',
    ]),
    layer('age-is-a-tool', 'What seals and opens files of age knows nothing of ours.', '^src/age/', []),
    layer('locker-adapter', 'Locker is handed its connection by compose.ts.', '^src/locker/', [
      CORE,
      AGE,
      '^src/protocol/',
    ]),
    layer('backup-adapter', 'Backups are files, and know the ports.', '^src/backup/', [
      CORE,
      PORTS,
      AGE,
      '^src/protocol/',
    ]),
    layer('config', 'Configuration knows the protocol, not what is made of it.', '^src/config/', [
      CORE,
      PORTS,
      '^src/protocol/',
    ]),
    layer('reconcile-knows-ports-only', 'The loop is handed its adapters by compose.ts.', '^src/reconcile/', [
      CORE,
      PORTS,
      '^src/protocol/',
    ]),
    {
      name: 'adapters-only-in-compose',
      comment: 'compose.ts is the one place that joins adapters and operations.',
      severity: 'error',
      from: { path: '^src/(cli|mcp|client|index\\.ts)', pathNot: TEST },
      to: { path: '^src/(redis|runtime|locker|backup)/', pathNot: PORTS },
    },
    {
      name: 'cli-is-outermost',
      comment: 'Nobody imports the command line.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'compose-is-outer',
      comment: 'Only the outermost parts ask for a composed whole.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(cli|mcp|client)/', '^src/(index|compose[a-z-]*)\\.ts$', TEST] },
      to: { path: '^src/compose[a-z-]*\\.ts$' },
    },
    {
      name: 'pure-does-no-io',
      comment: 'protocol, diagnose and plan are pure, which is why they can be tested by the hundred.',
      severity: 'error',
      from: { path: '^src/(protocol/|reconcile/(findings/|diagnose|plan|facts))', pathNot: TEST },
      to: {
        // net is allowed for isIP alone; ESLint (no-restricted-imports) sees to that.
        path: '^(node:)?(fs|tls|http|https|dns|dgram|child_process|worker_threads|os|process|readline|timers)(/|$)',
      },
    },
    ...Object.entries(LIBRARY_OWNERS).map(([name, owner]) => ({
      name: `library-${name.replace('@', '').replace('/', '-')}`,
      comment: `${name} has one owner, ${owner}`,
      severity: 'error',
      from: { path: '^src/', pathNot: [owner, TEST] },
      // A type alone brings nothing along: what src/client hands out is made of those of its drivers.
      to: { path: libraryPath(name), ...(DRIVERS.has(name) ? { dependencyTypesNot: ['type-only'] } : {}) },
    })),
    {
      name: 'library-without-owner',
      comment: 'A new library gets an owner in LIBRARY_OWNERS first.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: {
        path: '^node_modules/',
        pathNot: [...Object.keys(LIBRARY_OWNERS).map(libraryPath), '^node_modules/@types/node/'],
      },
    },
    {
      name: 'no-development-library',
      comment: 'What is shipped must not need what is only there for development.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev'], pathNot: '^node_modules/@types/' },
    },
    {
      name: 'no-test-in-source',
      comment: 'Nothing that is shipped imports a test or its support.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: [TEST, '^test/', '^bench/', '^scripts/'] },
    },
    {
      name: 'not-resolvable',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Types count: a type imported from an adapter is knowledge of that adapter.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
