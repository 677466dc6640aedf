/**
 * A promise that nobody handles ends a signer, since Node.js ends the process. Mocha has a listener for such promises and does
 * nothing with them; this one makes each the failure of the test that runs. .mocharc.json loads it before any test.
 */
process.on("unhandledRejection", (reason) => {
  throw reason;
});
