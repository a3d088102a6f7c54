/** Words, numbers and lines for people. Pure. */

/** `1 environment`, `2 environments` */
export function plural(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `512 B`, `1.2 MiB` */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`;
}

/** `41 ms`, `3.2 s`, `2 min 5 s` */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${String(Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`;
}

/** How long ago: `12 min`, `5 h`, `3 d` */
export function formatAge(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${String(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${String(hours)} h` : `${String(Math.floor(hours / 24))} d`;
}

/** `6640/6641`, or `6610` for a vault alone. */
export function formatPorts(vault: number, operational: number | null | undefined): string {
  return operational === null || operational === undefined ? String(vault) : `${String(vault)}/${String(operational)}`;
}

/**
 * Takes away what could drive a terminal: a server's log line or an error of somebody else's is only text here. C0 and
 * C1 controls, and the marks that turn the direction of writing around.
 */
export function clean(text: string): string {
  return text.replace(/\t/g, '    ').replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '?');
}

/** Breaks at spaces; a word longer than the line stays whole, so that a path or command can be copied. */
export function wrap(text: string, width: number, indent = ''): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(indent + line);
  return lines;
}

/** `head` and then the text, its further lines set in under its first. */
export function hanging(head: string, text: string, width: number): readonly string[] {
  const indent = ' '.repeat(head.length);
  const [first = '', ...rest] = wrap(text, width, indent);
  return [head + first.slice(indent.length), ...rest];
}

/** Cut to a width, with `…` for what is cut off. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
