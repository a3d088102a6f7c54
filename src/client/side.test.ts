import { describe, expect, it, vi } from 'vitest';
import { Nexus3Error } from '../errors.js';
import type { DriverClient, DriverOptions, Drivers } from './driver.js';
import { Side } from './side.js';

function sideWith(login: () => Promise<never>): DriverOptions {
  const opened: DriverOptions[] = [];
  const openClient: Drivers['openClient'] = (options) => {
    opened.push(options);
    return { client: { isReady: false } } as unknown as DriverClient;
  };
  const side = new Side(
    {
      name: 'vault',
      address: { host: 'h', port: 1 },
      login,
      options: { commandsMax: 1 } as DriverOptions,
      waitingMax: 1,
      onChange: () => undefined,
      onFailed: () => undefined,
    },
    { openClient } as Drivers,
  );
  expect(side.isUp).toBe(false);
  const [options] = opened;
  if (options === undefined) throw new Error('it opened nothing');
  return options;
}

describe('a side whose password is denied', () => {
  const denied = new Nexus3Error('TOKEN_REVOKED', 'revoked', { hint: 'grant' });

  it('asks Locker seldom, and keeps no process from ending meanwhile', async () => {
    const login = vi.fn(() => Promise.reject(denied));
    const { credentials, onAway } = sideWith(login);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(credentials?.()).rejects.toBe(denied);
      expect(onAway(attempt, denied)).toBeLessThanOrEqual(500);
    }
    expect(login).toHaveBeenCalledTimes(1);
  });

  it('asks at once again where Locker is only away', async () => {
    const login = vi.fn(() => Promise.reject(new Nexus3Error('LOCKER_UNREACHABLE', 'away', { hint: 'up' })));
    const { credentials } = sideWith(login);
    for (const times of [1, 2]) {
      await expect(credentials?.()).rejects.toThrow('away');
      expect(login).toHaveBeenCalledTimes(times);
    }
  });
});
