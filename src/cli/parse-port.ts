/** A port as somebody writes it. */
import { Nexus3Error } from '../errors.js';
import { isPort, PORT_MAX, PORT_MIN } from '../protocol/ports.js';

const CHARS_SHOWN_MAX = 40;

/** @throws Nexus3Error PORT_INVALID */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (isPort(port)) return port;
  throw new Nexus3Error('PORT_INVALID', `${JSON.stringify(text.slice(0, CHARS_SHOWN_MAX))} is not a port.`, {
    hint: `Give a whole number from ${String(PORT_MIN)} to ${String(PORT_MAX)}.`,
  });
}
