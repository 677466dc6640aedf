import { Assertion, AssertionError, util } from "chai";

/**
 * Says what is wrong where a text or a list is looked into that is not there: "expected undefined to include 'x'". Chai's own
 * words are of an invalid combination of arguments. .mocharc.json loads this before any test.
 */
for (const name of ["include", "includes", "contain", "contains"]) {
  Assertion.overwriteChainableMethod(
    name,
    (original) =>
      function (...given) {
        const subject = util.flag(this, "object");
        if (subject !== undefined && subject !== null) return original.apply(this, given);
        const message = util.flag(this, "message");
        const expected = `expected ${subject} to ${name} ${util.inspect(given[0])}`;
        throw new AssertionError(message === undefined ? expected : `${message}: ${expected}`);
      },
    (original) =>
      function () {
        return original.call(this);
      },
  );
}
