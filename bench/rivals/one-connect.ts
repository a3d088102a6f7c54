/**
 * A program with `connect`, from the packaged library: with a token, or with the root key.
 *
 *   one-connect.js LIBRARY ENV
 */
import type { connect as Connect } from '../../src/compose-client.js';

const [library = '', env = ''] = process.argv.slice(2);
const { connect } = (await import(library)) as { readonly connect: typeof Connect };
const client = await connect(env);
await client.vault.set('bench:start', 'v');
await client.operational.get('bench:start');
await client.close();
