import { z } from 'zod';
import { project } from '../task.js';
import { text } from '../text.js';
import { tool } from '../tool.js';

const DESCRIPTION_CHARACTERS_MAX = 2_000;

const CREATE = `
  MERGE (p:Project {name: $project})
  ON CREATE SET p.description = $description, p.createdAt = $createdAt
  RETURN p.createdAt = $createdAt AS created`;

export const projectCreate = tool({
  name: 'project_create',
  title: 'Create a project',
  description:
    'Makes a project that tasks can be in. One that is there already stays as it is: `created` is false then.',
  input: z.object({ project, description: text(DESCRIPTION_CHARACTERS_MAX).default('') }),
  output: z.object({ project: z.string(), created: z.boolean() }),
  effect: 'write',
  idempotent: true,
  async run(input, store) {
    const [row] = await store.write<{ created: boolean }>(CREATE, { ...input, createdAt: new Date().toISOString() });
    return { project: input.project, created: row?.created === true };
  },
});
