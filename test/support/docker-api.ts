/**
 * The Engine API for tests, over its socket and nothing else: what a person would do by hand with `docker` (which need
 * not be installed) beside, and against, nexus3.
 */
import { createReadStream } from 'node:fs';
import { request } from 'node:http';
import type { Readable } from 'node:stream';

const REQUEST_TIMEOUT_MS = 120_000;

export class DockerApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** @param body sent as JSON */
export async function dockerJson(socketPath: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const text = await send(socketPath, method, path, 'application/json', payload);
  return text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as unknown) : text;
}

/** `docker load` */
export async function dockerLoad(socketPath: string, archive: string): Promise<void> {
  const path = '/images/load?quiet=1';
  const answer = await send(socketPath, 'POST', path, 'application/x-tar', createReadStream(archive));
  if (answer.includes('"error"')) throw new Error(answer);
}

async function send(
  socketPath: string,
  method: string,
  path: string,
  type: string,
  payload: string | Readable | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = payload === undefined ? {} : { 'Content-Type': type };
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const call = request({ socketPath, method, path, headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8').trim();
        const status = response.statusCode ?? 0;
        if (status < 400) resolve(text);
        else reject(new DockerApiError(status, `${method} ${path}: ${String(status)} ${text}`));
      });
    });
    call.on('error', reject);
    if (payload === undefined) call.end();
    else if (typeof payload === 'string') call.end(payload);
    else payload.on('error', reject).pipe(call);
  });
}

export interface ExecResult {
  readonly exitCode: number;
  /** stdout and stderr, as they came. */
  readonly output: string;
}

/** `docker exec NAME COMMAND` */
export async function dockerExec(socketPath: string, name: string, command: readonly string[]): Promise<ExecResult> {
  const exec = { AttachStdout: true, AttachStderr: true, Tty: true, Cmd: command };
  const { Id } = (await dockerJson(socketPath, 'POST', `/containers/${name}/exec`, exec)) as { Id: string };
  const output = await send(socketPath, 'POST', `/exec/${Id}/start`, 'application/json', '{"Detach":false,"Tty":true}');
  const { ExitCode } = (await dockerJson(socketPath, 'GET', `/exec/${Id}/json`)) as { ExitCode: number };
  return { exitCode: ExitCode, output: output.replaceAll('\r\n', '\n') };
}
