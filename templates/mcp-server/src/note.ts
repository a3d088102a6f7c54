import { z } from 'zod';
import { text } from './text.js';

const TITLE_CHARACTERS_MAX = 200;
const TEXT_CHARACTERS_MAX = 10_000;
const TOPIC_CHARACTERS_MAX = 50;
const TOPICS_MAX = 10;

export const title = text(TITLE_CHARACTERS_MAX).min(1);
export const body = text(TEXT_CHARACTERS_MAX);
export const topic = text(TOPIC_CHARACTERS_MAX).min(1);
export const topics = z.array(topic).max(TOPICS_MAX);

export const note = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  topics: z.array(z.string()),
  createdAt: z.string().describe('ISO 8601, UTC'),
});
export type Note = z.output<typeof note>;
