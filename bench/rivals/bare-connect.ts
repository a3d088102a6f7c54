/**
 * What a program without nexus3 does to write at the vault and read at the operational. It is handed the password.
 *
 *   bare-connect.js FILE [falkordb]
 */
import { readFileSync } from 'node:fs';
import type { Doors } from '../client/job.js';

const HOST = '127.0.0.1';
const [file = '', way] = process.argv.slice(2);
const { vaultPort, operationalPort, password } = JSON.parse(readFileSync(file, 'utf8')) as Doors;
const vaultOptions = { socket: { host: HOST, port: vaultPort }, username: 'default', password };
const operationalOptions = { socket: { host: HOST, port: operationalPort } };

if (way === 'falkordb') {
  const { FalkorDB } = await import('falkordb');
  const [vault, operational] = await Promise.all([
    FalkorDB.connect(vaultOptions),
    FalkorDB.connect(operationalOptions),
  ]);
  await (await vault.connection).set('bench:start', 'v');
  await (await operational.connection).get('bench:start');
  await Promise.all([vault.close(), operational.close()]);
} else {
  const { createClient } = await import('@redis/client');
  const [vault, operational] = [createClient(vaultOptions), createClient(operationalOptions)];
  await Promise.all([vault.connect(), operational.connect()]);
  await vault.set('bench:start', 'v');
  await operational.get('bench:start');
  await Promise.all([vault.close(), operational.close()]);
}
