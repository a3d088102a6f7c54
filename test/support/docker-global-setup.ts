/**
 * One private Docker engine for all tests on Docker, as a globalSetup of vitest. Where there can be none, those tests are
 * skipped, loudly; with CI=true that is a failure. NEXUS3_TEST_DOCKER=unix:///… lends an engine that runs already.
 */
import type { TestProject } from 'vitest/node';
import { lendTestEngine, startTestEngine, stopTestEngine } from './docker-engine.js';
import { EngineUnavailable } from './docker-unavailable.js';

/** What a test file is told by `inject('docker')`; see docker-tests.ts. */
export type ProvidedDocker =
  { readonly available: true; readonly host: string } | { readonly available: false; readonly why: string };

declare module 'vitest' {
  interface ProvidedContext {
    docker: ProvidedDocker;
  }
}

const RULE = '='.repeat(100);

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const note = (text: string): void => {
    console.log(`# docker: ${text}`);
  };
  const lent = process.env['NEXUS3_TEST_DOCKER'];
  if (lent !== undefined && lent !== '') {
    await lendTestEngine(lent, note);
    provide('docker', { available: true, host: lent });
    return () => Promise.resolve();
  }
  try {
    const engine = await startTestEngine(note);
    provide('docker', { available: true, host: engine.host });
    return () => stopTestEngine(engine);
  } catch (error) {
    if (!(error instanceof EngineUnavailable) || process.env['CI'] === 'true') throw error;
    console.warn(`${RULE}\nNO DOCKER: every test on Docker is skipped.\n${error.message}\n${RULE}`);
    provide('docker', { available: false, why: error.message });
    return () => Promise.resolve();
  }
}
