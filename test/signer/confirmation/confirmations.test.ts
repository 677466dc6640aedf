import { expect } from "chai";
import { Confirmations } from "../../../signer/confirmation/confirmations.ts";
import type { Operator, PendingRequest } from "../../../signer/confirmation/question.ts";
import { SignerError } from "../../../signer/errors.ts";
import { described } from "../../harness/described.ts";
import { logLines } from "../../harness/log-lines.ts";
import { monotonicClock } from "../../harness/monotonic-clock.ts";
import { rejection } from "../../harness/rejection.ts";

const question = (digest = "aa") => ({ key: "tz3key", client: "203.0.113.7", digest, ...described });
const NEVER = new AbortController().signal;

/** An operator who only remembers. */
function operator(name = "operator 1") {
  const shown: PendingRequest[] = [];
  const withdrawn: string[] = [];
  const one: Operator = {
    name,
    show: (asked) => shown.push(asked),
    withdraw: (id, reason) => withdrawn.push(`${id}: ${reason}`),
  };
  return { one, shown, withdrawn };
}

async function outcome(asked: Promise<void>): Promise<string> {
  return asked.then(
    () => "confirmed",
    (error: unknown) => (error instanceof SignerError ? error.code : String(error)),
  );
}

function desk(options: { patience?: number; capacity?: number } = {}) {
  const { log, lines } = logLines();
  const decisions = () => lines.filter(({ decision }) => decision !== undefined);
  return { confirmations: new Confirmations({ logger: log, ...options }), decisions };
}

describe("confirmations", () => {
  it("refuse at once where nobody is there, and remember nothing of it", async () => {
    const { confirmations } = desk();
    expect(await outcome(confirmations.ask(question(), NEVER))).to.equal("operator-absent");
    const { one, shown } = operator();
    confirmations.attach(one);
    expect(shown).to.deep.equal([]);
  });

  it("name the machine where nobody is, where another one gets requests too", async () => {
    const confirmations = new Confirmations({ logger: logLines().log, machine: () => "signer-2" });
    const error = await rejection(confirmations.ask(question(), NEVER), SignerError);
    expect(error.message).to.include("confirm` on signer-2, and on the other machine too, then ask again.");
  });

  it("log every decision of a person, however many questions a client asks and gives up meanwhile", async () => {
    const { confirmations, decisions } = desk();
    const { one, shown } = operator();
    confirmations.attach(one);
    for (let round = 0; round < 20; round += 1) {
      for (let flood = 0; flood < 100; flood += 1) {
        const gone = new AbortController();
        const asked = outcome(confirmations.ask(question(`${round}.${flood}`), gone.signal));
        gone.abort();
        expect(await asked).to.equal("operator-timeout");
      }
      const asked = outcome(confirmations.ask({ ...question(`${round}`), client: `192.0.2.${round}` }, NEVER));
      confirmations.answer(one, shown.at(-1)?.id ?? 0, round % 2 === 0);
      expect(await asked).to.equal(round % 2 === 0 ? "confirmed" : "operator-declined");
    }
    const [persons, others] = [true, false].map((own) =>
      decisions().filter(({ operator }) => (operator !== undefined) === own),
    );
    expect(persons).to.have.length(20);
    expect(others?.length).to.be.below(200);
  });

  it("ask nothing new of a client for a key for a while after a no, for twice as long after each, until a yes", async () => {
    using clock = monotonicClock();
    const { confirmations } = desk();
    const { one, shown } = operator();
    confirmations.attach(one);
    const answer = async (digest: string, isYes: boolean) => {
      const asked = outcome(confirmations.ask(question(digest), NEVER));
      confirmations.answer(one, shown.at(-1)?.id ?? 0, isYes);
      return asked;
    };
    for (const [index, seconds] of [10, 20, 40, 80, 160, 300, 300].entries()) {
      expect(await answer(`question ${index}`, false)).to.equal("operator-declined");
      const before = shown.length;
      clock.advance(seconds * 1_000 - 1);
      const asked = rejection(confirmations.ask(question("one byte changed"), NEVER), SignerError);
      expect(shown).to.have.length(before);
      expect((await asked).message).to.contain("nobody is asked anything of 203.0.113.7 for this key for 1 s");
      clock.advance(1);
    }
    const other = outcome(confirmations.ask({ ...question("other"), client: "192.0.2.1" }, NEVER));
    confirmations.answer(one, shown.at(-1)?.id ?? 0, true);
    expect(await other).to.equal("confirmed");
    expect(await answer("the right one", true)).to.equal("confirmed");
    expect(await answer("no again", false)).to.equal("operator-declined");
    clock.advance(10_000);
    expect(await answer("asked again", true)).to.equal("confirmed");
  });

  for (const [one, other] of [
    ["127.0.0.1", "127.3.2.1"],
    ["::1", "127.0.0.1"],
    ["2001:db8:1:2::1", "2001:DB8:1:2:3:4:5:6"],
    ["2001:db8::7", "2001:0db8:0:0:f::"],
  ] as const) {
    it(`take ${one} and ${other} for one client, who would else have as many as it likes`, async () => {
      const { confirmations } = desk();
      const { one: person, shown } = operator();
      confirmations.attach(person);
      const ask = (digest: string, client: string) =>
        outcome(confirmations.ask({ ...question(digest), client, key: `key of ${digest}` }, NEVER));
      const first = [1, 2, 3].map((index) => ask(`${index}`, one));
      void ask("4", other);
      const fifth = ask("5", other);
      expect(confirmations.waiting).to.have.length(4);
      expect(await fifth).to.equal("operator-busy");
      confirmations.answer(person, shown[0]?.id ?? 0, false);
      expect(await first[0]).to.equal("operator-declined");
      const again = { ...question("6"), client: other, key: "key of 1" };
      const afterNo = outcome(confirmations.ask(again, NEVER));
      expect(confirmations.waiting).to.have.length(3);
      expect(await afterNo).to.equal("operator-declined");
      confirmations.stop();
    });
  }

  it("hold a request until a person says yes or no, with an audit line for each", async () => {
    const { confirmations, decisions } = desk();
    const { one, shown } = operator();
    confirmations.attach(one);
    const first = outcome(confirmations.ask(question("aa"), NEVER));
    const second = outcome(confirmations.ask(question("bb"), NEVER));
    expect(confirmations.answer(one, 1, true)).to.equal(true);
    expect(confirmations.answer(one, 2, false)).to.equal(true);
    expect(shown.map(({ id, digest }) => [id, digest])).to.deep.equal([
      [1, "aa"],
      [2, "bb"],
    ]);
    expect([await first, await second]).to.deep.equal(["confirmed", "operator-declined"]);
    expect(decisions().map(({ confirmation, operator, decision }) => [confirmation, operator, decision])).to.deep.equal(
      [
        [1, "operator 1", "confirmed"],
        [2, "operator 1", "declined"],
      ],
    );
    expect(decisions()[1]).to.include({ key: "tz3key", client: "203.0.113.7", digest: "bb" });
  });

  it("count the first answer of two operators, and tell the other", async () => {
    const { confirmations } = desk();
    const [left, right] = [operator("operator 1"), operator("operator 2")];
    confirmations.attach(left.one);
    confirmations.attach(right.one);
    const asked = outcome(confirmations.ask(question(), NEVER));
    expect(confirmations.answer(right.one, 1, false)).to.equal(true);
    expect(confirmations.answer(left.one, 1, true)).to.equal(false);
    expect(await asked).to.equal("operator-declined");
    expect(left.withdrawn).to.deep.equal(["1: operator 2 declined it"]);
    expect(right.withdrawn).to.deep.equal([]);
  });

  it("leave a question to the operator who stays, and refuse it when the last one leaves", async () => {
    const { confirmations } = desk();
    const [left, right] = [operator("operator 1"), operator("operator 2")];
    const leave = confirmations.attach(left.one);
    const leaveToo = confirmations.attach(right.one);
    const asked = outcome(confirmations.ask(question(), NEVER));
    leave();
    expect(confirmations.waiting).to.have.length(1);
    expect(confirmations.answer(left.one, 1, true)).to.equal(false);
    leaveToo();
    expect(await asked).to.equal("operator-absent");
  });

  it("show an operator who comes later what waits already", () => {
    const { confirmations } = desk();
    confirmations.attach(operator().one);
    void outcome(confirmations.ask(question(), NEVER));
    const late = operator("operator 2");
    confirmations.attach(late.one);
    expect(late.shown).to.have.length(1);
  });

  it("give up after a time", async () => {
    const { confirmations, decisions } = desk({ patience: 10 });
    const { one, withdrawn } = operator();
    confirmations.attach(one);
    const alive = setTimeout(() => undefined, 10_000);
    expect(await outcome(confirmations.ask(question(), NEVER))).to.equal("operator-timeout");
    clearTimeout(alive);
    expect(withdrawn).to.deep.equal(["1: nobody answered in time"]);
    expect(confirmations.answer(one, 1, true)).to.equal(false);
    expect(decisions()).to.have.length(1);
  });

  it("ask once about the same bytes, and withdraw the question when every client has hung up", async () => {
    const { confirmations } = desk();
    const { one, shown, withdrawn } = operator();
    confirmations.attach(one);
    const [first, second] = [new AbortController(), new AbortController()];
    const asked = [first, second].map(({ signal }) => outcome(confirmations.ask(question(), signal)));
    expect(shown).to.have.length(1);
    first.abort();
    expect(confirmations.waiting).to.have.length(1);
    second.abort();
    expect(confirmations.waiting).to.deep.equal([]);
    expect(withdrawn).to.deep.equal(["1: the client gave up"]);
    expect(await Promise.all(asked)).to.deep.equal(["operator-timeout", "operator-timeout"]);
  });

  it("do not ask again about bytes just confirmed: octez repeats them after a 502", async () => {
    const { confirmations } = desk();
    const { one, shown } = operator();
    confirmations.attach(one);
    const asked = outcome(confirmations.ask(question(), NEVER));
    confirmations.answer(one, 1, true);
    expect(await asked).to.equal("confirmed");
    expect(await outcome(confirmations.ask(question(), NEVER))).to.equal("confirmed");
    expect(shown).to.have.length(1);
    void outcome(confirmations.ask({ ...question(), key: "tz3other" }, NEVER));
    expect(shown).to.have.length(2);
  });

  it("refuse bytes that were declined for a minute without asking, say for how long, and then ask again", async () => {
    using clock = monotonicClock();
    const { confirmations } = desk();
    const { one, shown } = operator();
    confirmations.attach(one);
    const asked = outcome(confirmations.ask(question(), NEVER));
    confirmations.answer(one, 1, false);
    expect(await asked).to.equal("operator-declined");
    clock.advance(18_000);
    const { code, message } = await rejection(confirmations.ask(question(), NEVER), SignerError);
    expect(code).to.equal("operator-declined");
    expect(message).to.match(/nobody is asked about these bytes for 42 s\.$/);
    expect(shown).to.have.length(1);
    clock.advance(42_001);
    const again = outcome(confirmations.ask(question(), NEVER));
    expect(shown).to.have.length(2);
    confirmations.answer(one, 2, true);
    expect(await again).to.equal("confirmed");
  });

  it("ask at once for another client, and for another key, after a no", async () => {
    const { confirmations } = desk();
    const { one } = operator();
    confirmations.attach(one);
    const asked = outcome(confirmations.ask(question(), NEVER));
    confirmations.answer(one, 1, false);
    expect(await asked).to.equal("operator-declined");
    void outcome(confirmations.ask({ ...question("bb"), client: "192.0.2.1" }, NEVER));
    void outcome(confirmations.ask({ ...question(), key: "tz3other" }, NEVER));
    expect(confirmations.waiting).to.have.length(2);
  });

  it("remember nothing of an answer that came too late", async () => {
    const { confirmations } = desk();
    const { one, shown } = operator();
    confirmations.attach(one);
    const client = new AbortController();
    const asked = outcome(confirmations.ask(question(), client.signal));
    client.abort();
    expect(await asked).to.equal("operator-timeout");
    expect(confirmations.answer(one, 1, true)).to.equal(false);
    void outcome(confirmations.ask(question(), NEVER));
    expect(shown).to.have.length(2);
  });

  it("remember a yes for a minute, whatever else is answered meanwhile, and then ask again", async () => {
    using clock = monotonicClock();
    const { confirmations } = desk();
    const { one, shown } = operator();
    confirmations.attach(one);
    const asked = outcome(confirmations.ask(question("aa"), NEVER));
    confirmations.answer(one, 1, true);
    expect(await asked).to.equal("confirmed");
    clock.advance(60_000);
    const other = outcome(confirmations.ask(question("ab"), NEVER));
    confirmations.answer(one, 2, true);
    expect(await other).to.equal("confirmed");
    expect(await outcome(confirmations.ask(question("aa"), NEVER))).to.equal("confirmed");
    expect(shown).to.have.length(2);
    clock.advance(1);
    void outcome(confirmations.ask(question("aa"), NEVER));
    expect(shown.map(({ digest }) => digest)).to.deep.equal(["aa", "ab", "aa"]);
    expect(await outcome(confirmations.ask(question("ab"), NEVER))).to.equal("confirmed");
  });

  it("take only so many, and the next once one is answered", async () => {
    const { confirmations } = desk({ capacity: 2 });
    const { one } = operator();
    confirmations.attach(one);
    void outcome(confirmations.ask(question("aa"), NEVER));
    void outcome(confirmations.ask(question("bb"), NEVER));
    expect(await outcome(confirmations.ask(question("cc"), NEVER))).to.equal("operator-busy");
    confirmations.answer(one, 1, true);
    void outcome(confirmations.ask(question("cc"), NEVER));
    expect(confirmations.waiting).to.have.length(2);
  });

  it("wait five minutes for an answer, and take sixteen at once: four of a client, eight for a key", async () => {
    const { confirmations } = desk();
    confirmations.attach(operator().one);
    let digest = 0;
    const ask = (client: number, key: number) => {
      const asked = { ...question(`${++digest}`), client: `203.0.113.${client}`, key: `key ${key}` };
      return confirmations.ask(asked, NEVER).then(
        () => "confirmed",
        (error: SignerError) => error.message,
      );
    };
    const full = "A person must confirm the request, and too many wait already: at most ";
    for (let count = 0; count < 4; count += 1) void ask(1, 1);
    expect(await ask(1, 2)).to.equal(`${full}4 of 203.0.113.1 can.`);
    for (let count = 0; count < 4; count += 1) void ask(2, 1);
    expect(await ask(3, 1)).to.equal(`${full}8 for key 1 can.`);
    for (let count = 0; count < 4; count += 1) void ask(3, 2);
    for (let count = 0; count < 4; count += 1) void ask(4, 3);
    expect(confirmations.waiting).to.have.length(16);
    expect(await ask(5, 4)).to.equal(`${full}16 of all clients can.`);
    for (const { since, until } of confirmations.waiting) {
      expect(Date.parse(until) - Date.parse(since)).to.equal(300_000);
    }
    confirmations.stop();
  });

  it("show one question after another, the oldest first, to each operator", async () => {
    const { confirmations } = desk();
    const [left, right] = [operator("operator 1"), operator("operator 2")];
    confirmations.attach(left.one);
    for (const digest of ["aa", "bb", "cc"]) void outcome(confirmations.ask(question(digest), NEVER));
    confirmations.attach(right.one);
    expect(confirmations.answer(left.one, 2, true)).to.equal(false);
    expect(confirmations.answer(left.one, 1, true)).to.equal(true);
    expect(right.withdrawn).to.deep.equal(["1: operator 1 confirmed it"]);
    expect(confirmations.answer(right.one, 2, false)).to.equal(true);
    for (const { shown } of [left, right]) {
      expect(shown.map(({ digest }) => digest)).to.deep.equal(["aa", "bb", "cc"]);
    }
    confirmations.stop();
    expect(left.withdrawn.at(-1)).to.equal("3: the signer stops");
  });

  it("ask nobody for a client that is gone already", async () => {
    const { confirmations } = desk();
    const { one, withdrawn } = operator();
    confirmations.attach(one);
    const asked = outcome(confirmations.ask(question(), AbortSignal.abort()));
    expect(confirmations.waiting).to.deep.equal([]);
    expect(await asked).to.equal("operator-timeout");
    expect(withdrawn).to.deep.equal(["1: the client gave up"]);
  });

  it("end once, whoever else would end them in the same moment", async () => {
    const { confirmations, decisions } = desk();
    const [one, other] = [operator("operator 1"), operator("operator 2")];
    confirmations.attach(one.one);
    confirmations.attach(other.one);
    const client = new AbortController();
    const asked = outcome(confirmations.ask(question(), client.signal));
    confirmations.answer(one.one, 1, true);
    client.abort();
    expect(await asked).to.equal("confirmed");
    expect(other.withdrawn).to.deep.equal(["1: operator 1 confirmed it"]);
    expect(decisions()).to.have.length(1);
  });

  it("refuse everyone who waits when the signer stops, and take no more", async () => {
    const { confirmations } = desk();
    confirmations.attach(operator().one);
    const asked = outcome(confirmations.ask(question(), NEVER));
    confirmations.stop();
    expect(await asked).to.equal("operator-absent");
    expect(await outcome(confirmations.ask(question("bb"), NEVER))).to.equal("operator-absent");
  });
});
