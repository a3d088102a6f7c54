/**
 * Who holds a TCP port of this host: the kernel's socket tables name the socket (proc(5), /proc/net/tcp), and the open
 * files of the processes name its owner, as far as this user may look.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { systemErrorCode } from '../errors.js';
import type { PortHolder } from './runtime.js';

export interface TcpSocket {
  /** As the kernel prints it, e.g. `0100007F` for 127.0.0.1 on a little-endian machine. */
  readonly addressHex: string;
  readonly port: number;
  readonly listening: boolean;
  readonly inode: string;
}

const LISTEN = '0A';

/** Reads /proc/net/tcp or tcp6. */
export function parseTcpTable(text: string): readonly TcpSocket[] {
  const sockets: TcpSocket[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    const [addressHex, portHex] = (local ?? '').split(':');
    if (addressHex === undefined || portHex === undefined || inode === undefined) continue;
    sockets.push({ addressHex, port: Number.parseInt(portHex, 16), listening: state === LISTEN, inode });
  }
  return sockets;
}

/** The sockets that accept connections on a port, on the given IPv4 address or on all of them. */
export function listenersOn(port: number, bind?: string): readonly TcpSocket[] {
  return socketsOn(port).filter(({ listening, addressHex }) => listening && overlaps(addressHex, bind));
}

/** True when that very process accepts connections on the port. */
export function isListening(pid: number, port: number): boolean {
  const inodes = new Set(listenersOn(port).map(({ inode }) => inode));
  return inodes.size > 0 && openSockets(pid).some((inode) => inodes.has(inode));
}

/**
 * Who holds the port, a listener before a mere connection; undefined when nobody does. pid and command are undefined
 * where the kernel does not let this user see them.
 */
export function findPortHolder(port: number, bind?: string): PortHolder | undefined {
  const [holder] = [...listenersOn(port, bind), ...socketsOn(port).filter(({ listening }) => !listening)];
  if (holder === undefined) return undefined;
  const pid = processIds().find((candidate) => openSockets(candidate).includes(holder.inode));
  return { port, pid, command: pid === undefined ? undefined : commandName(pid) };
}

/** `port 6640 is held by valkey-server (process 4711)` */
export function describePortHolder({ port, pid, command }: PortHolder): string {
  const who =
    pid === undefined
      ? 'a process of another user (root can see which: ss -ltnp)'
      : `${command ?? 'a process'} (process ${String(pid)})`;
  return `port ${String(port)} is held by ${who}`;
}

/** Numbers of all processes there are. */
export function processIds(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function socketsOn(port: number): readonly TcpSocket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((path) => parseTcpTable(orElse('', () => readFileSync(path, 'utf8'))))
    .filter((socket) => socket.port === port && socket.inode !== '0');
}

/** Listening on every address holds the port of each; an IPv6 wildcard usually takes IPv4 as well. */
function overlaps(addressHex: string, bind: string | undefined): boolean {
  if (bind === undefined || bind === '0.0.0.0' || bind === '::' || bind === '*') return true;
  if (/^0+$/.test(addressHex)) return true;
  const bytes = bind.split('.').map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => !Number.isInteger(byte) || byte < 0 || byte > 255)) return true;
  const number = Buffer.from(bytes).readUInt32LE();
  return addressHex.endsWith(number.toString(16).toUpperCase().padStart(8, '0'));
}

/** Inodes of the sockets that a process holds open; none where this user may not look. */
function openSockets(pid: number): readonly string[] {
  const folder = `/proc/${String(pid)}/fd`;
  return orElse([], () => readdirSync(folder)).flatMap((fd) => {
    const target = orElse('', () => readlinkSync(`${folder}/${fd}`));
    const match = /^socket:\[(\d+)\]$/.exec(target);
    return match?.[1] === undefined ? [] : [match[1]];
  });
}

function commandName(pid: number): string | undefined {
  return orElse(undefined, () => readFileSync(`/proc/${String(pid)}/comm`, 'utf8').trim());
}

/** Processes come and go while they are looked at, and some may not be looked at. */
function orElse<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(systemErrorCode(error) ?? '')) return otherwise;
    throw error;
  }
}
