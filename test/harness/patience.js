import mocha from "mocha";

const FACTOR = 5;

/**
 * Time never decides a test: a time-out ends what hangs and says nothing about speed. So each time-out that a test sets is
 * longer by a factor here, for a computer that has other work too. .mocharc.json loads this before any test.
 */
const { prototype } = mocha.Runnable;
const { timeout } = prototype;

prototype.timeout = function (...given) {
  return given.length === 0 ? timeout.call(this) : timeout.call(this, Number(given[0]) * FACTOR);
};
