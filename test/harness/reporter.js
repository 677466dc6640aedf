import { relative } from "node:path";
import mocha from "mocha";
import { processorTime } from "./processor-time.ts";
import { skipped } from "./requires.ts";

const { Spec } = mocha.reporters;

/**
 * Mocha's spec report, closed by what could not run here and why, and by the one line that CI reads.
 * In CI nothing may be skipped: there each skipped test counts as failed.
 * A process that started this one as a child is told what each test and hook took, on the clock and of the processor.
 */
export default class Reporter extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const times = [];
    let before = processorTime();
    const note = ({ file, title, duration = 0 }) => {
      const now = processorTime();
      times.push({ file: relative(process.cwd(), file ?? ""), title, milliseconds: duration, processor: now - before });
      before = now;
    };
    runner.on("test end", note);
    runner.on("hook end", note);
    // A long run says at once why a test failed; the end has it whole.
    runner.on("fail", (_test, error) => console.log(`       ${String(error?.message ?? error).slice(0, 600)}`));
    runner.on("end", () => {
      const { passes, failures, pending } = this.stats;
      const inCi = process.env.CI === "true";
      if (pending > 0) console.log(inCi ? "\nSkipped, which CI does not allow:" : "\nCould not run here:");
      for (const [title, reason] of skipped) console.log(`  ${title}: ${reason}`);
      if (pending > skipped.size) console.log(`  ${pending - skipped.size} without a reason`);
      const failed = inCi ? failures + pending : failures;
      if (failed > 0) process.exitCode = 1;
      const line = `${passes} passed, ${failed} failed`;
      console.log(inCi || pending === 0 ? `\n${line}` : `\n${line}, ${pending} skipped`);
      process.send?.(times);
    });
  }
}
