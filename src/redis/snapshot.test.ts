import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../test/support/failure.js';
import type { FakeServer } from '../../test/support/fake-server.js';
import { startFakeServer } from '../../test/support/fake-server.js';
import { freePort } from '../../test/support/redis-server.js';
import { Secret } from '../protocol/secret.js';
import type { SnapshotLimits } from './snapshot-body.js';
import { streamSnapshot } from './snapshot.js';

const PASSWORD = new Secret('password-of-backup');
const LIMITS: SnapshotLimits = { answerMs: 300, beginMs: 600, idleMs: 300, closeMs: 100, wholeMs: 5_000 };
const REPLICATION = 'a1'.repeat(20);
const MARK = '0123456789abcdef0123456789abcdef01234567';
const BEGUN = `+FULLRESYNC ${REPLICATION} 4711\r\n`;
const ANNOUNCED = `${BEGUN}$EOF:${MARK}\r\n`;

type Behaviour = (socket: Socket) => void;

/** A vault that takes the password and the options, and then does this. */
function afterPsync(behave: Behaviour, answers: Readonly<Record<string, string>> = {}): Behaviour {
  return (socket) => {
    socket.on('data', (chunk: Buffer) => {
      const command = /\b(AUTH|capa|rdb-only|PSYNC)\b/.exec(chunk.toString('latin1'))?.[1] ?? '';
      if (command !== 'PSYNC') socket.write(answers[command] ?? '+OK\r\n');
      else behave(socket);
    });
  };
}

/** Each piece by itself, as the network may cut anything anywhere; then the vault closes. */
function sends(...pieces: readonly (string | Buffer)[]): Behaviour {
  return afterPsync((socket) => {
    void (async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await sleep(2);
      }
      socket.end();
    })();
  });
}

async function take(server: FakeServer): Promise<Buffer> {
  await using stream = await streamSnapshot(server.address, PASSWORD, LIMITS);
  expect(stream.replication).toEqual({ id: REPLICATION, offset: 4711 });
  const chunks: Buffer[] = [];
  for await (const chunk of stream.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function taken(behave: Behaviour): Promise<string> {
  await using server = await startFakeServer(behave);
  return (await take(server)).toString('latin1');
}

/** Code and evidence of how it fails, within the limits. */
async function failing(behave: Behaviour): Promise<string> {
  await using server = await startFakeServer(behave);
  const startedAt = performance.now();
  const { code, evidence, hint } = await failureOf(take(server));
  expect(performance.now() - startedAt).toBeLessThan(LIMITS.beginMs + 1_000);
  expect(hint).not.toBe('');
  expect(evidence.join()).not.toContain('password-of-backup');
  return `${code} ${evidence.join()}`;
}

describe('a snapshot that comes whole', () => {
  it('is what stands before the mark', async () => {
    expect(await taken(sends(`${ANNOUNCED}REDIS and so on${MARK}`))).toBe('REDIS and so on');
    expect(await taken(sends(ANNOUNCED, 'R', 'EDIS', MARK))).toBe('REDIS');
  });

  it('may be waited for, with newlines before it begins and before it comes', async () => {
    expect(await taken(sends('\n', '\n\n', BEGUN, '\n', '\n', `$EOF:${MARK}\r\nREDIS${MARK}`))).toBe('REDIS');
  });

  it('may hold its own mark, which ends it only at the very end', async () => {
    const inside = `REDIS${MARK}more${MARK}${MARK.slice(0, 20)}`;
    expect(await taken(sends(`${ANNOUNCED}${inside}${MARK}`))).toBe(inside);
    expect(await taken(sends(ANNOUNCED, `REDIS${MARK}`, 'more', MARK))).toBe(`REDIS${MARK}more`);
  });

  it('is whole when the vault does not close behind the mark', async () => {
    expect(await taken(afterPsync((socket) => socket.write(`${ANNOUNCED}REDIS${MARK}`)))).toBe('REDIS');
  });

  it('may be announced by its length, by a vault that saves it first', async () => {
    expect(await taken(sends(`${BEGUN}\n\n$5\r\nREDIS`))).toBe('REDIS');
    expect(await taken(afterPsync((socket) => socket.write(`${BEGUN}$5\r\nREDIS`)))).toBe('REDIS');
  });

  it('may be cut anywhere', async () => {
    const body = randomBytes(500);
    const whole = Buffer.concat([Buffer.from(`\n${ANNOUNCED}`), body, Buffer.from(MARK)]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: whole.length }), { maxLength: 12 }), async (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, index) => whole.subarray(at[index], end));
        await using server = await startFakeServer(sends(...pieces.filter(({ length }) => length > 0)));
        expect((await take(server)).equals(body)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('comes byte by byte as well', async () => {
    const bytes = Buffer.from(`${ANNOUNCED}REDIS of some length, longer than forty bytes${MARK}`);
    const behave = afterPsync((socket) => {
      socket.setNoDelay(true);
      void (async () => {
        for (const byte of bytes) {
          socket.write(Buffer.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket.end();
      })();
    });
    expect(await taken(behave)).toBe('REDIS of some length, longer than forty bytes');
  });
});

describe('a snapshot that does not come whole', () => {
  it.each<[string, Behaviour, string]>([
    ['closes without the mark', sends(ANNOUNCED, 'REDIS'.repeat(50)), 'before the end'],
    ['closes within the mark', sends(ANNOUNCED, 'REDIS'.repeat(50), MARK.slice(0, 39)), 'before the end'],
    ['closes before it begins', sends(''), 'before it began'],
    ['closes after it has begun', sends(BEGUN), 'before it began'],
    ['closes before the announced length', sends(`${BEGUN}$9\r\nREDIS`), '4 bytes before the end'],
    ['sends more than the announced length', sends(`${BEGUN}$4\r\nREDIS`), 'more than'],
    ['announces nothing', sends(`${BEGUN}$0\r\n`), 'does not say'],
    ['announces a mark that is none', sends(`${BEGUN}$EOF:${MARK.slice(1)}\r\n`), 'does not say'],
    ['cannot fork', sends(BEGUN, '-ERR BGSAVE failed, replication can’t continue\r\n'), 'BGSAVE failed'],
    ['may not', sends('-NOPERM this user has no permissions to run the psync command\r\n'), 'NOPERM'],
    ['loads', sends('-LOADING Redis is loading the dataset in memory\r\n'), 'LOADING'],
    ['has no master', sends('-NOMASTERLINK Can’t SYNC while not connected with my master\r\n'), 'NOMASTERLINK'],
    ['goes on instead', sends(`+CONTINUE ${REPLICATION}\r\n`), 'does not say'],
    ['talks without end', sends('x'.repeat(5_000)), 'not what Redis sends'],
    ['says nothing', afterPsync(() => undefined), 'nothing came for 0.3 s'],
    ['stops in the middle', afterPsync((socket) => socket.write(`${ANNOUNCED}REDIS`)), 'nothing came for 0.3 s'],
    [
      'breaks the connection',
      afterPsync((socket) => socket.write(`${ANNOUNCED}REDIS`, () => socket.resetAndDestroy())),
      'before the end',
    ],
    [
      'only says that it is still there',
      afterPsync((socket) => {
        const timer = setInterval(() => socket.write('\n'), 20);
        socket.on('close', () => {
          clearInterval(timer);
        });
      }),
      'too long to begin',
    ],
    [
      'knows no rdb-only',
      afterPsync(() => undefined, { 'rdb-only': '-ERR Unrecognized REPLCONF option\r\n' }),
      'rdb-only',
    ],
  ])('because the vault %s', async (_, behave, evidence) => {
    const failure = await failing(behave);
    expect(failure).toContain('BACKUP_FAILED');
    expect(failure).toContain(evidence);
  });

  it('because the password is refused, which is never repeated', async () => {
    const echoed = '-WRONGPASS invalid password-of-backup\r\n';
    expect(await failing(afterPsync(() => undefined, { AUTH: echoed }))).toContain(
      'REDIS_REPLY_UNEXPECTED AUTH backup: WRONGPASS',
    );
  });

  it('because nobody is there, or nobody who answers', async () => {
    const address = { host: '127.0.0.1', port: await freePort() };
    expect((await failureOf(streamSnapshot(address, PASSWORD, LIMITS))).code).toBe('REDIS_UNREACHABLE');
    expect(await failing(() => undefined)).toContain('REDIS_UNREACHABLE');
    expect(await failing((socket) => socket.end())).toContain('REDIS_UNREACHABLE');
  });

  it('because it takes longer than any snapshot may', async () => {
    const behave = afterPsync((socket) => {
      socket.write(ANNOUNCED);
      const timer = setInterval(() => socket.write('x'.repeat(100)), 20);
      socket.on('close', () => {
        clearInterval(timer);
      });
    });
    await using server = await startFakeServer(behave);
    await using stream = await streamSnapshot(server.address, PASSWORD, { ...LIMITS, wholeMs: 200 });
    const reading = (async () => {
      for await (const chunk of stream.chunks) expect(chunk.length).toBeGreaterThan(0);
    })();
    expect((await failureOf(reading)).evidence.join()).toContain('not whole after');
  });
});

describe('who takes a snapshot slowly', () => {
  it('makes the vault wait, and is not taken for one who has fallen silent', async () => {
    const block = randomBytes(1024 * 1024);
    const blocks = 64;
    let accepted = 0;
    const behave = afterPsync((socket) => {
      socket.write(ANNOUNCED);
      void (async () => {
        for (; accepted < blocks; accepted += 1) {
          if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve));
        }
        socket.end(MARK);
      })();
    });
    await using server = await startFakeServer(behave);
    await using stream = await streamSnapshot(server.address, PASSWORD, LIMITS);
    let bytes = 0;
    for await (const chunk of stream.chunks) {
      if (bytes === 0) {
        await sleep(LIMITS.idleMs * 2);
        // What the kernel's buffers take, and no more.
        expect(accepted).toBeLessThan(blocks / 2);
      }
      bytes += chunk.length;
    }
    expect(bytes).toBe(blocks * block.length);
  });

  it('may give up, and the vault is told', async () => {
    let closed = false;
    const behave = afterPsync((socket) => {
      socket.write(`${ANNOUNCED}${'x'.repeat(100_000)}`);
      socket.on('close', () => (closed = true));
    });
    await using server = await startFakeServer(behave);
    const stream = await streamSnapshot(server.address, PASSWORD, LIMITS);
    for await (const chunk of stream.chunks) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await expect.poll(() => closed).toBe(true);
    await stream[Symbol.asyncDispose]();
  });
});
