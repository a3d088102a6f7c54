import { builtinRules } from 'eslint/use-at-your-own-risk';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** The same rule a second time, so that a long file is said at 300 lines and refused at 400. */
const size = { rules: { 'max-lines-hint': builtinRules.get('max-lines') } };

/** What `@eslint/js` calls recommended, without that package. typescript-eslint switches off what its own rules replace. */
const recommended = Object.fromEntries(
  [...builtinRules].filter(([, rule]) => rule.meta.docs.recommended === true).map(([name]) => [name, 'error']),
);

const NO_EXIT = {
  object: 'process',
  property: 'exit',
  message: 'Throw a Nexus3Error; only src/cli/main.ts ends the process.',
};
const NO_CLOCK = [
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: 'Pure code knows no clock.' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Pure code knows no clock.' },
  { selector: "MemberExpression[object.name='Math'][property.name='random']", message: 'Pure code is not random.' },
  { selector: "MemberExpression[object.name='process']", message: 'Pure code is handed what it needs.' },
];

export default defineConfig(
  globalIgnores(['dist/', 'examples/*/dist/', 'templates/*/dist/', 'coverage/', '.cache/', 'bench/results/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    name: 'nexus3/all',
    rules: {
      ...recommended,
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-param-reassign': 'error',
      'no-implicit-coercion': 'error',
    },
  },
  {
    name: 'nexus3/typescript',
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // `await using _lock` is held, not used.
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      // `(): void => list.push(x)` and the like are clear as they are.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A port's method is async by contract, also where one adapter has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    name: 'nexus3/source',
    files: ['src/**/*.ts'],
    plugins: { size },
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', NO_EXIT],
      'size/max-lines-hint': ['warn', { max: 300 }],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    name: 'nexus3/pure',
    files: ['src/protocol/**/*.ts', 'src/reconcile/findings/**/*.ts', 'src/reconcile/{diagnose,plan}.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...NO_CLOCK],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'node:net', allowImportNames: ['isIP', 'isIPv4', 'isIPv6'], message: 'Pure code does no I/O.' },
          ],
        },
      ],
    },
  },
  {
    name: 'nexus3/servers',
    // Packages of their own, each with a tsconfig.json for where `nexus3` is installed; here it is its source.
    files: ['templates/**/*.ts', 'examples/**/*.ts'],
    languageOptions: { parserOptions: { projectService: false, project: './tsconfig.servers.json' } },
    plugins: { size },
    rules: {
      // node:test waits for its tests by itself.
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: ['describe', 'it'], package: 'node:test' }] },
      ],
      'size/max-lines-hint': ['warn', { max: 300 }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  { name: 'nexus3/cli', files: ['src/cli/**/*.ts'], rules: { 'no-console': 'off' } },
  { name: 'nexus3/main', files: ['src/cli/main.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    name: 'nexus3/tests',
    files: ['**/*.test.ts', '**/*.conformance.ts'],
    // A scenario reads from top to bottom; cutting it up would hide the story.
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    name: 'nexus3/test-support',
    files: ['test/**/*.ts'],
    // Tables of small functions are typed by their table.
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    name: 'nexus3/scripts',
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'URL', 'Buffer', 'setTimeout', 'clearTimeout', 'performance', 'module'].map((name) => [
          name,
          'readonly',
        ]),
      ),
    },
  },
);
