/** The POSIX shells of this machine: what is `sh` in an image is any of them. */
import { spawnSync } from 'node:child_process';

export interface Shell {
  readonly name: string;
  readonly command: readonly string[];
}

const KNOWN: readonly Shell[] = [
  { name: 'sh', command: ['sh'] },
  { name: 'dash', command: ['dash'] },
  { name: 'bash', command: ['bash', '--posix'] },
  { name: 'busybox', command: ['busybox', 'sh'] },
];

/** `sh` always; the others where they are installed and are not what `sh` is anyway. */
export const SHELLS: readonly Shell[] = KNOWN.filter(({ name, command: [program = '', ...args] }) => {
  if (name === 'sh') return true;
  return pathOf(name) !== pathOf('sh') && spawnSync(program, [...args, '-c', 'exit 0']).status === 0;
});

function pathOf(name: string): string {
  const { stdout } = spawnSync('sh', ['-c', `readlink -f "$(command -v ${name})"`], { encoding: 'utf8' });
  return stdout.trim();
}
