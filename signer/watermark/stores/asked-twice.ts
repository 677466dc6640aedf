/**
 * Asks once more, on another connection, where the first answer is late: a dead connection then costs a fraction of a second
 * and not the whole call. The first good answer counts; where neither is good, the first one's fault.
 * @param late milliseconds until the second question
 * @param ask once; its signal ends as soon as the other question is answered
 */
export async function askedTwice<Answer>(late: number, ask: (over: AbortSignal) => Promise<Answer>): Promise<Answer> {
  const [first, second] = [new AbortController(), new AbortController()];
  const asked = ask(first.signal);
  let timer: NodeJS.Timeout | undefined;
  let isAskedAgain = false;
  const again = new Promise<Answer>((resolve, reject) => {
    timer = setTimeout(() => {
      isAskedAgain = true;
      ask(second.signal).then(resolve, reject);
    }, late);
    asked.catch(reject); // a fault that comes sooner is no reason to ask again: the caller has its own tries
  });
  try {
    return await Promise.any([asked, again]).catch(() => asked);
  } finally {
    clearTimeout(timer);
    if (isAskedAgain) {
      first.abort();
      second.abort();
    }
  }
}
