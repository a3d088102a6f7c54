import { describe, expect, it } from 'vitest';
import { Nexus3Error } from '../../errors.js';
import { checkParameters, PARAMETER_DEPTH_MAX } from './query-parameters.js';

type Params = NonNullable<NonNullable<Parameters<typeof checkParameters>[0]>['params']>;
const check = (params: unknown): void => {
  checkParameters({ params: params as Params });
};

describe('parameters of a query', () => {
  it('may be whatever Cypher has, strings with anything in them', () => {
    check({ a: null, b: true, c: -1.5, d: '"; MATCH (n) DELETE n //\n`', e: [1, ['x']], f: { g: { h_1: [] } } });
    checkParameters(undefined);
    checkParameters({ TIMEOUT: 5 });
  });

  it.each([
    ['a name that is Cypher', { 'a=1 b': 2 }],
    ['an empty name', { '': 2 }],
    ['a key that is Cypher', { a: { 'x:1}) DELETE n //': 2 } }],
    ['a key deep inside', { a: [{ b: [{ 'c d': 1 }] }] }],
    ['no number', { a: Number.NaN }],
    ['no end', { a: [Infinity] }],
    ['NUL, where the engine stops to read', { a: 'x\0y' }],
    ['a function', { a: () => 1 }],
    ['nothing', { a: undefined }],
  ])('are refused for %s', (_, params) => {
    expect(() => {
      check(params);
    }).toThrow(Nexus3Error);
  });

  it('lie in each other only so deep', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    check({ a: nested(PARAMETER_DEPTH_MAX) });
    expect(() => {
      check({ a: nested(PARAMETER_DEPTH_MAX + 1) });
    }).toThrow(/deep/);
  });
});
