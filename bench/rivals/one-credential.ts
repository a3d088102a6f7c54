/**
 * A program that asks `credentials()` for one password, from the packaged library; with a token, or with the root key.
 *
 *   one-credential.js LIBRARY ENV
 */
interface Library {
  readonly credentials: () => { get(env: string): Promise<{ readonly port: number }>; close(): Promise<void> };
}

const [library = '', env = ''] = process.argv.slice(2);
const { credentials } = (await import(library)) as Library;
const helper = credentials();
const { port } = await helper.get(env);
if (port === 0) throw new Error('nothing was found');
await helper.close();
