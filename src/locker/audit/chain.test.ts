import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../protocol/secret.js';
import type { LockerReply } from '../channel.js';
import { AuditKey, baseOf, type Head, headWords, makeEntry, readEntry, readHead, type SignedNote } from './chain.js';
import { type StoredEntry, storedEntries } from './chain.js';
import { ChainCheck, type Damage, type HeadMark } from './check.js';
import { trimTarget } from './trim.js';

const KEY = AuditKey.generate();
const NOTE: SignedNote = {
  ...{ action: 'get', what: 'track/default', outcome: 'ok', at: '2026-01-08T12:00:00.000Z' },
  who: { user: 'ada', pid: 42, parent: 'bash', token: null },
};

/** What lies in Locker, and what is remembered beside the root key. */
interface State {
  readonly stream: readonly StoredEntry[];
  readonly head: ReadonlyMap<string, string>;
  readonly mark: HeadMark | undefined;
}

function fieldsOf(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? ''] as const] : [])));
}

/** An honest append, as the log does it; the mark is written as well. */
function append(state: State, what: string, key = KEY): State {
  const base = baseOf(key, state.head, state.stream.at(-1));
  if (base === undefined) throw new Error('nothing can be appended');
  const entry = makeEntry(key, base.seq + 1, base.link, { ...NOTE, what });
  const head = fieldsOf(headWords(key, { ...base.head, seq: base.seq + 1, mac: entry.mac }));
  return { stream: [...state.stream, entry], head, mark: { audit: key.id, seq: base.seq + 1, mac: entry.mac } };
}

function chainOf(length: number, key = KEY): State {
  let state: State = { stream: [], head: new Map(), mark: undefined };
  for (let index = 1; index <= length; index += 1) state = append(state, `value ${String(index)}`, key);
  return state;
}

function trimmed(state: State, count: number): State {
  const head = readHead(KEY, state.head) as Head;
  const anchor = state.stream[count - 1];
  const words = headWords(KEY, { ...head, anchorSeq: count, anchorMac: anchor?.mac ?? '' });
  return { ...state, stream: state.stream.slice(count), head: fieldsOf(words) };
}

function damagesOf({ stream, head, mark }: State, key = KEY): readonly Damage[] {
  const read = readHead(key, head);
  const own = mark?.audit === key.id ? mark : undefined;
  const check = new ChainCheck(key, typeof read === 'object' ? read : undefined, own);
  for (const entry of stream) check.take(entry);
  return check.finish(read, mark);
}

const kindsOf = (state: State): readonly string[] => damagesOf(state).map(({ kind, seq }) => `${kind} ${String(seq)}`);

describe('a chain', () => {
  it('is whole when nobody has touched it, also with its oldest entries trimmed away, also when there is none', () => {
    expect(damagesOf(chainOf(0))).toEqual([]);
    expect(damagesOf(chainOf(12))).toEqual([]);
    expect(damagesOf(trimmed(chainOf(12), 5))).toEqual([]);
    expect(damagesOf(append(trimmed(chainOf(12), 5), 'more'))).toEqual([]);
    expect(damagesOf(trimmed(chainOf(12), 12))).toEqual([]);
  });

  it('gives its entries back as they were', () => {
    const entry = readEntry(KEY, makeEntry(KEY, 7, 'link', { ...NOTE, detail: 'more' }));
    expect(entry).toEqual({ ...NOTE, seq: 7, detail: 'more', genuine: true, prev: 'link' });
    expect(readEntry(AuditKey.generate(), makeEntry(KEY, 7, 'link', NOTE))?.genuine).toBe(false);
  });

  it('has a key that shows nothing of itself', () => {
    expect(JSON.stringify(KEY)).not.toContain(KEY.toSecret().reveal());
    expect(AuditKey.from(KEY.toSecret())?.id).toBe(KEY.id);
    expect(AuditKey.from(new Secret('short'))).toBeUndefined();
    expect(KEY.fits('entry', 'text', KEY.mac('head', 'text'))).toBe(false);
  });

  it('keeps what does not look like an entry as one that is not genuine', () => {
    const reply: LockerReply = [['1-0', ['seq', '2', 'entry', '{}', 'mac', 'x']], ['2-0', ['a', 'b']], 'nonsense'];
    expect(storedEntries(reply)).toEqual([
      { id: '1-0', text: '', mac: '' },
      { id: '2-0', text: '', mac: '' },
    ]);
  });
});

describe('each damage is told apart', () => {
  const ten = chainOf(10);
  const at = (state: State, index: number): StoredEntry => state.stream[index] as StoredEntry;
  const without = (state: State, from: number, to = from): State => ({
    ...state,
    stream: state.stream.filter((_, index) => index + 1 < from || index + 1 > to),
  });

  it.each<[string, State, readonly string[]]>([
    ['one removed', without(ten, 4), ['removed 4']],
    ['several removed', without(ten, 4, 6), ['removed 4']],
    ['the first cut off', without(ten, 1, 2), ['front-cut 1']],
    ['more than was trimmed cut off', without(trimmed(ten, 3), 1), ['front-cut 4']],
    ['the last cut off', without(ten, 8, 10), ['tail-cut 8', 'tail-cut 8']],
    ['all deleted but the head', { ...ten, stream: [] }, ['all-removed 1', 'tail-cut 1']],
    ['head and stream deleted', { ...ten, stream: [], head: new Map() }, ['rolled-back 1']],
    ['the head deleted', { ...ten, head: new Map() }, ['head-missing 10']],
    ['an older copy of both put back', { ...chainOf(0), ...ten, ...older(7) }, ['rolled-back 8']],
    ['an older copy put back, and gone on', append(append(older(9), 'x'), 'y'), ['rewritten 10']],
    ['an older head', { ...ten, head: older(7).head }, ['head-older 8']],
    ['a head changed', { ...ten, head: new Map([...ten.head, ['seq', '9']]) }, ['head-changed 10']],
    ['another audit', { ...chainOf(10), mark: chainOf(3, AuditKey.generate()).mark }, ['another-audit 1']],
    [
      'one changed in its place',
      { ...ten, stream: ten.stream.map((entry, index) => (index === 3 ? changed(entry) : entry)) },
      ['changed 4'],
    ],
    [
      'one removed and put in changed at the end',
      { ...without(ten, 4), stream: [...without(ten, 4).stream, { ...changed(at(ten, 3)), id: '11-0' }] },
      ['removed 4', 'inserted 11', 'head-older 11'],
    ],
    [
      'one put in twice',
      { ...ten, stream: ten.stream.map((entry, index) => (index === 5 ? { ...at(ten, 2), id: entry.id } : entry)) },
      ['moved 6', 'unlinked 7'],
    ],
    [
      'something put in between',
      { ...ten, stream: [...ten.stream.slice(0, 4), { id: '4-1', text: '{}', mac: 'x' }, ...ten.stream.slice(4)] },
      ['inserted 5'],
    ],
  ])('%s', (_, state, kinds) => {
    expect(kindsOf({ ...state, mark: state.mark?.audit === KEY.id ? ten.mark : state.mark })).toEqual(kinds);
  });

  function older(length: number): State {
    // The same entries as those of `ten`, up to there.
    let state: State = { stream: [], head: new Map(), mark: undefined };
    for (let index = 1; index <= length; index += 1) state = append(state, `value ${String(index)}`);
    return state;
  }

  function changed(entry: StoredEntry): StoredEntry {
    return { ...entry, text: entry.text.replace('track', 'trick').replace('value', 'valve') };
  }

  it('what is appended behind damage is said to be, and stays so', () => {
    const after = append(append(without(ten, 8, 10), 'x'), 'y');
    expect(kindsOf(after)).toEqual(
      ['removed 8', 'rewritten 10', 'continued 11'].filter((kind) => !kind.startsWith('rew')),
    );
    expect(kindsOf(append({ ...ten, head: new Map() }, 'x'))).toEqual(['continued 11']);
    expect(baseOf(KEY, ten.head, { id: '9007199254740991-0', text: '', mac: '' }), 'jammed').toBeUndefined();
  });

  it('a head that was changed is not followed, also where nothing else is left', () => {
    expect(baseOf(KEY, new Map([...ten.head, ['seq', '9']]), undefined)).toMatchObject({ damaged: true, seq: 0 });
    const fork = append(older(9), 'another');
    expect(kindsOf({ ...ten, head: fork.head, mark: undefined })).toEqual(['head-older 10']);
  });

  it('without the head beside the root key, an older copy of all cannot be told', () => {
    expect(kindsOf({ ...older(7), mark: undefined })).toEqual([]);
  });
});

describe('whoever has not the key', () => {
  /** What he can put anywhere: everything that was ever there, and whatever he makes up. */
  const LENGTH = 8;
  const states = Array.from({ length: LENGTH + 1 }, (_, length) => {
    let state: State = { stream: [], head: new Map(), mark: undefined };
    for (let index = 1; index <= length; index += 1) state = append(state, `value ${String(index)}`);
    return state;
  });
  const whole = states[LENGTH] as State;
  const own = AuditKey.generate();
  /** What nexus3 wrote when he had put an older copy back before. */
  const fork = append(append(append(states[5] as State, 'other 6'), 'other 7'), 'other 8');
  const genuine = [...whole.stream, ...fork.stream.slice(5)];
  const heads = [...states.map(({ head }) => head), fork.head, new Map<string, string>()];

  const anyEntry = fc.oneof(
    fc.constantFrom(...genuine),
    fc
      .record({
        what: fc.string(),
        of: fc.integer({ min: 0, max: LENGTH + 1 }),
        link: fc.constantFrom('', 'damaged', ...whole.stream.map(({ mac }) => mac)),
      })
      .map(({ what, of, link }) => makeEntry(own, of + 1, link, { ...NOTE, what })),
    fc
      .record({ entry: fc.constantFrom(...whole.stream), mac: fc.constantFrom(...whole.stream.map(({ mac }) => mac)) })
      .map(({ entry, mac }) => ({ ...entry, mac })),
  );
  /** A stream only takes rising places, and he may choose them. */
  const anyStream = fc
    .array(fc.tuple(anyEntry, fc.constantFrom('own', 'next', 'between')), { maxLength: LENGTH + 2 })
    .map((items) => {
      let [seq, part] = [0, 0];
      return items.flatMap(([entry, place]) => {
        const wanted = place === 'own' ? Number(entry.id.split('-')[0]) : seq + (place === 'next' ? 1 : 0);
        if (wanted < seq || (wanted === seq && place === 'own')) return [];
        part = wanted === seq ? part + 1 : 0;
        seq = wanted;
        return [{ ...entry, id: `${String(seq)}-${String(part)}` }];
      });
    });
  const anyHead = fc.oneof(
    fc.constantFrom(...heads),
    fc
      .tuple(
        fc.constantFrom(...heads),
        fc.constantFrom('seq', 'mac', 'anchor-seq', 'anchor-mac', 'damaged-at', 'bound'),
        fc.constantFrom('0', '3', '8', ...whole.stream.map(({ mac }) => mac)),
      )
      .map(([head, field, value]) => new Map([...head, [field, value]])),
  );
  /** Small steps from the truth find more than chance does. */
  const nearTruth = fc
    .array(
      fc.tuple(
        fc.constantFrom('remove', 'swap', 'copy', 'cut', 'front', 'fork'),
        fc.nat(LENGTH - 1),
        fc.nat(LENGTH - 1),
      ),
      { maxLength: 3 },
    )
    .map((steps) => {
      const bodies = whole.stream.map(({ text, mac }) => ({ text, mac }));
      const stream = [...whole.stream];
      for (const [step, a, b] of steps) {
        const [first, second] = [stream[a], stream[b]];
        if (step === 'remove') stream.splice(a, 1);
        else if (step === 'cut') stream.splice(Math.max(1, a));
        else if (step === 'front') stream.splice(0, a);
        else if (step === 'fork') stream.splice(a, 1, fork.stream[a] as StoredEntry);
        else if (first !== undefined && second !== undefined) {
          stream[a] = { ...first, ...(bodies[b] ?? {}) };
          if (step === 'swap') stream[b] = { ...second, ...(bodies[a] ?? {}) };
        }
      }
      return stream;
    });

  const isTrue = (state: State): boolean =>
    JSON.stringify([state.stream, [...state.head].toSorted()]) ===
    JSON.stringify([whole.stream, [...whole.head].toSorted()]);

  it('changes nothing without a trace, whatever he puts together', () => {
    fc.assert(
      fc.property(fc.oneof(anyStream, nearTruth), fc.oneof(anyHead, fc.constant(whole.head)), (stream, head) => {
        const state: State = { stream, head, mark: whole.mark };
        expect(damagesOf(state).length > 0).toBe(!isTrue(state));
      }),
    );
  });

  it('nor does an honest append behind it cover it', () => {
    fc.assert(
      fc.property(fc.oneof(anyStream, nearTruth), fc.oneof(anyHead, fc.constant(whole.head)), (stream, head) => {
        if (baseOf(KEY, head, stream.at(-1)) === undefined) return;
        const state = { ...append(append({ stream, head, mark: whole.mark }, 'x'), 'y'), mark: whole.mark };
        expect(damagesOf(state).length > 0).toBe(!isTrue({ ...whole, stream, head }));
      }),
    );
  });
});

describe('trimming', () => {
  it.each([
    [{ anchorSeq: 0, baseSeq: 9, seq: 10, entriesMax: 10 }, undefined],
    [{ anchorSeq: 0, baseSeq: 10, seq: 11, entriesMax: 10 }, 2],
    [{ anchorSeq: 0, baseSeq: 100_000, seq: 100_001, entriesMax: 100_000 }, 1_000],
    [{ anchorSeq: 0, baseSeq: 5_000, seq: 5_001, entriesMax: 10 }, 1_000],
    [{ anchorSeq: 4_990, baseSeq: 5_000, seq: 5_200, entriesMax: 10 }, 5_000],
    [{ anchorSeq: 0, baseSeq: 0, seq: 20, entriesMax: 10 }, undefined],
  ])('of %j goes up to %s', (question, target) => {
    expect(trimTarget(question)).toBe(target);
  });
});
