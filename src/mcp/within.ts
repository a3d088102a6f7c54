/** Waits for what may take too long, or never end, for so long and no longer. What it rejects with is of no interest any more. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([work.catch(() => undefined), enough]);
  } finally {
    clearTimeout(timer);
  }
}
