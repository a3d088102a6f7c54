/** What a test file on Docker begins with: the engine of the global setup, or a skip that says why. */
import { describe, inject } from 'vitest';

/** `describe`, where Docker can be had. Without it the tests within are counted as skipped. */
export function describeOnDocker(name: string, body: () => void): void {
  const docker = inject('docker');
  if (docker.available) describe(name, body);
  else describe.skip(`${name} (no Docker: ${docker.why.split('\n')[0] ?? ''})`, body);
}

export function dockerIsThere(): boolean {
  return inject('docker').available;
}

/** The environment in which nexus3 finds the engine. Only within describeOnDocker. */
export function dockerEnvironment(): { readonly DOCKER_HOST: string } {
  return { DOCKER_HOST: sharedHost() };
}

export function sharedSocket(): string {
  return sharedHost().slice('unix://'.length);
}

function sharedHost(): string {
  const docker = inject('docker');
  if (!docker.available) throw new Error('no Docker; use describeOnDocker');
  return docker.host;
}
