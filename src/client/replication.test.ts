import { describe, expect, it } from 'vitest';
import { hasReached, lagBytes, parseReplication } from './replication.js';

const REPLID = '516a8ce08c0205612f5beac62188c81d1e40cd06';
const lines = (...all: string[]): string => all.join('\r\n');
const MASTER = lines('# Replication', 'role:master', `master_replid:${REPLID}`, 'master_repl_offset:300', 'loading:0');
const REPLICA = lines(
  'role:slave',
  'master_link_status:up',
  'slave_read_repl_offset:290',
  'slave_repl_offset:280',
  `master_replid:${REPLID}`,
  'master_repl_offset:299',
);

describe('what a server says of its replication', () => {
  it('is read of a master', () => {
    expect(parseReplication(MASTER)).toMatchObject({ role: 'master', position: { replid: REPLID, offset: 300 } });
  });

  it('is read of a replica: what it has done, not what it has received', () => {
    expect(parseReplication(REPLICA)).toEqual({
      role: 'replica',
      position: { replid: REPLID, offset: 280 },
      linkUp: true,
      linkDownSeconds: 0,
      loading: false,
    });
  });

  it('says that a replica takes a whole data set, or reads one', () => {
    expect(parseReplication(`${REPLICA}\r\nmaster_sync_in_progress:1`)?.loading).toBe(true);
    expect(parseReplication(`${REPLICA}\r\nloading:1`)?.loading).toBe(true);
  });

  it('says for how long a link is down', () => {
    const away = REPLICA.replace('status:up', 'status:down');
    expect(parseReplication(`${away}\r\nmaster_link_down_since_seconds:7`)).toMatchObject({
      linkUp: false,
      linkDownSeconds: 7,
    });
    // Of a replica that never had a master since it started.
    expect(parseReplication(`${away}\r\nmaster_link_down_since_seconds:-1`)?.linkDownSeconds).toBe(0);
  });

  it('is nothing where it is no such answer', () => {
    for (const text of ['', 'OK', 'role:master', `master_replid:${REPLID}`])
      expect(parseReplication(text)).toBeUndefined();
  });
});

describe('places in the stream', () => {
  const at = (offset: number, replid = REPLID) => ({ replid, offset });

  it('are reached by what is as far, in the same history', () => {
    expect([hasReached(at(5), at(5)), hasReached(at(6), at(5)), hasReached(at(4), at(5))]).toEqual([true, true, false]);
    expect(hasReached(at(900, 'other'), at(5))).toBe(false);
  });

  it('lie bytes apart, which cannot be said of two histories', () => {
    expect([lagBytes(at(9), at(5)), lagBytes(at(5), at(9)), lagBytes(at(5), at(5, 'other'))]).toEqual([
      4,
      0,
      undefined,
    ]);
  });
});
