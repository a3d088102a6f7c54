import { fileURLToPath } from 'node:url';

/** The folder of this package, wherever it was installed: as deep as this file, also where the command is bundled. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
