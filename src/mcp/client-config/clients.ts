/** The hosts of agents whose configuration nexus3 can write: where each keeps it, and what it wants to find there. */
import { join } from 'node:path';
import type { Surroundings } from '../../config/locate.js';
import { homeOf } from '../../config/locate.js';

export type ClientName = 'claude-desktop' | 'vscode';

export interface ClientKind {
  readonly title: string;
  /** The property that servers stand in. */
  readonly section: string;
  /** Says of each server how it is reached, as `type`. */
  readonly saysType: boolean;
  /** Comments and commas at the end: as in the settings of VS Code. Elsewhere they are mistakes. */
  readonly comments: boolean;
  /** Below the user's configuration folder ($XDG_CONFIG_HOME, by default ~/.config). */
  readonly file: readonly string[];
  /** What makes it look at its file again. */
  readonly next: string;
}

export const CLIENTS: Readonly<Record<ClientName, ClientKind>> = {
  'claude-desktop': {
    title: 'Claude Desktop',
    section: 'mcpServers',
    saysType: false,
    comments: false,
    file: ['Claude', 'claude_desktop_config.json'],
    next: 'Quit Claude Desktop and start it again.',
  },
  vscode: {
    title: 'Visual Studio Code',
    section: 'servers',
    saysType: true,
    comments: true,
    file: ['Code', 'User', 'mcp.json'],
    next: 'In Visual Studio Code: MCP: List Servers, and start it.',
  },
};

/** Of the user; a workspace of VS Code has one of its own, `.vscode/mcp.json`. */
export function clientFile({ file }: ClientKind, surroundings: Surroundings): string {
  const xdg = surroundings.env['XDG_CONFIG_HOME'];
  const folder = xdg?.startsWith('/') === true ? xdg : join(homeOf(surroundings), '.config');
  return join(folder, ...file);
}
