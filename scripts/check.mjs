#!/usr/bin/env node
/**
 * `npm run check`: all that can be said of the code without running it. Linting takes as long as all the rest, so the two
 * go side by side. What a step has to say is printed when it ends, in one piece; one that fails keeps no other from being run.
 */
import { spawn } from 'node:child_process';

const LANES = [['lint'], ['typecheck', 'format:check', 'deps:check', 'unused:check']];

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    for (const child of running) child.kill('SIGTERM');
  });
}

const failed = (await Promise.all(LANES.map(lane))).flat();
if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`);
process.exitCode = interrupted || failed.length > 0 ? 1 : 0;

/** One after the other. @returns those that failed */
async function lane(names) {
  const failures = [];
  for (const name of names) {
    if (interrupted) break;
    if (!(await step(name))) failures.push(name);
  }
  return failures;
}

function step(name) {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', name], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let said = '';
    child.stdout.on('data', (chunk) => (said += String(chunk)));
    child.stderr.on('data', (chunk) => (said += String(chunk)));
    const ended = (ok) => {
      running.delete(child);
      process.stdout.write(said);
      resolve(ok);
    };
    child.once('error', (error) => {
      said += `${name}: ${error.message}\n`;
      ended(false);
    });
    child.once('close', (code) => ended(code === 0));
  });
}
