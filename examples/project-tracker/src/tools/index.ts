/** All tools of the project tracker. */
import type { Tool } from '../tool.js';
import { criticalPathTool } from './critical-path.js';
import { projectCreate } from './project-create.js';
import { projectList } from './project-list.js';
import { taskBlock } from './task-block.js';
import { taskCreate } from './task-create.js';
import { taskFind } from './task-find.js';
import { taskNeighbours } from './task-neighbours.js';
import { taskRemove } from './task-remove.js';
import { taskUnblock } from './task-unblock.js';
import { taskUpdate } from './task-update.js';

export const INSTRUCTIONS = `Tracks projects, their tasks, who does them, and which task must be done before which.
Begin with project_list, or make a project with project_create. Find work with task_find and ready: true; set its status to doing
and then done with task_update. Say that a task waits for another one with task_block. critical_path says what decides when a
project is done.`;

export const TOOLS: readonly Tool[] = [
  projectCreate,
  projectList,
  taskCreate,
  taskFind,
  taskUpdate,
  taskBlock,
  taskUnblock,
  taskNeighbours,
  criticalPathTool,
  taskRemove,
];
