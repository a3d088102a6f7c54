import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { criticalPath } from '../src/critical-path.js';

const step = (id: string, hours: number | null, ...blockedBy: string[]) => ({ id, title: id, hours, blockedBy });
const pathOf = (...steps: ReturnType<typeof step>[]) => {
  const { hours, steps: path } = criticalPath(steps);
  return [hours, path.map(({ id }) => id).join(' ')];
};

describe('the critical path', () => {
  it('is the longest in hours, not in tasks', () => {
    assert.deepEqual(pathOf(step('a', 1), step('b', 1, 'a'), step('c', 1, 'b'), step('d', 10)), [10, 'd']);
    assert.deepEqual(pathOf(step('c', 5, 'a', 'b'), step('b', 3), step('a', 2)), [8, 'b c']);
  });

  it('counts an hour for what nobody has estimated, and nothing for what takes no time', () => {
    assert.deepEqual(pathOf(step('a', null), step('b', null, 'a')), [2, 'a b']);
    assert.deepEqual(pathOf(step('a', 0)), [0, 'a']);
    assert.deepEqual(pathOf(), [0, '']);
  });

  it('does not wait for tasks of other projects, and takes a thousand in a row', () => {
    assert.deepEqual(pathOf(step('a', 1, 'elsewhere')), [1, 'a']);
    const chain = Array.from({ length: 1_000 }, (_, n) =>
      step(`t${String(n)}`, 1, ...(n === 0 ? [] : [`t${String(n - 1)}`])),
    );
    assert.equal(criticalPath(chain.reverse()).hours, 1_000);
  });

  it('is none in a circle', () => {
    assert.throws(() => criticalPath([step('a', 1, 'b'), step('b', 1, 'a')]), /circle/);
  });
});
