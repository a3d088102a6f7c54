import { describe, expect, it } from 'vitest';
import { Nexus3Error } from '../../errors.js';
import { PAGE_BYTES_MAX, PAGE_ITEMS_DEFAULT, pageOf } from './page.js';

const many = Array.from({ length: 45 }, (_, index) => ({ name: `e${String(index)}` }));
const nameOf = ({ name }: { readonly name: string }): string => name;

describe('a page', () => {
  it('all pages together are all items, in their order', () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = pageOf(many, nameOf, { cursor });
      expect(page.total).toBe(many.length);
      expect(page.items.length).toBeLessThanOrEqual(PAGE_ITEMS_DEFAULT);
      expect(page.truncated).toBe(page.nextCursor !== null);
      seen.push(...page.items.map(nameOf));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(many.map(nameOf));
  });

  it('of nothing', () => {
    expect(pageOf([], nameOf, {})).toEqual({ items: [], total: 0, truncated: false, nextCursor: null });
  });

  it('that just holds all has no next one', () => {
    expect(pageOf(many, nameOf, { limit: 45 })).toMatchObject({ truncated: false, nextCursor: null });
    expect(pageOf(many, nameOf, { limit: 44 })).toMatchObject({ truncated: true, nextCursor: 'e43' });
    expect(pageOf(many, nameOf, { cursor: 'e44' })).toMatchObject({ items: [], truncated: false, nextCursor: null });
  });

  it('is no larger than an agent can read, but never empty', () => {
    const large = ['a', 'b', 'c'].map((name) => ({ name, text: 'x'.repeat(PAGE_BYTES_MAX * 0.6) }));
    expect(pageOf(large, nameOf, {})).toMatchObject({ items: [{ name: 'a' }], truncated: true, nextCursor: 'a' });
    expect(pageOf(large, nameOf, { cursor: 'b' })).toMatchObject({ items: [{ name: 'c' }], truncated: false });
    const huge = { name: 'a', text: 'x'.repeat(PAGE_BYTES_MAX * 2) };
    expect(pageOf([huge], nameOf, {}).items).toHaveLength(1);
  });

  it('after what is not there any more is refused', () => {
    expect(() => pageOf(many, nameOf, { cursor: 'gone' })).toThrow(Nexus3Error);
  });
});
