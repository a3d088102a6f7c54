/**
 * The engine of all tests: found, or fetched once into the engine folder ($NEXUS3_ENGINE_HOME or the default), so that
 * `npm test` needs nothing done before it.
 */
import { Nexus3Error } from '../../src/errors.js';
import { SILENT } from '../../src/progress.js';
import type { Engine } from '../../src/runtime/process/engine/engine.js';
import { fetchPrivateEngine } from '../../src/runtime/process/engine/fetch-private-engine.js';
import { findEngine } from '../../src/runtime/process/engine/find-engine.js';

/** May take as long as a download; in a file of tests, call it in `beforeAll` with ENGINE_TIMEOUT_MS. */
export async function testEngine(): Promise<Engine> {
  try {
    return await findEngine();
  } catch (error) {
    if (!(error instanceof Nexus3Error) || error.code !== 'ENGINE_NOT_FOUND') throw error;
    return (await fetchPrivateEngine({}, SILENT)).engine;
  }
}

export const ENGINE_TIMEOUT_MS = 300_000;

/** As a globalSetup of vitest: the engine is there before the first test file asks for it. */
export async function setup(): Promise<void> {
  await testEngine();
}
