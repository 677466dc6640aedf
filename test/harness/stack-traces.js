/**
 * Mocha lets each Error keep its whole stack, and code that makes thousands of them deep in a recursion is busy with that
 * alone. Ten calls, as everywhere in Node.js, say where a test failed.
 */
Error.stackTraceLimit = 10;
