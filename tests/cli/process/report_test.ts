import {
  DaemonFailure,
  reportFailure,
} from "../../../src/cli/process/report.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import { assertEquals } from "../../support/assert.ts";
import { REKEY_SPEAKER } from "../../support/hint.ts";

const ERROR = new RekeyError("pair", "no certificate", { hint: "make one" });
const AT = new Date(2030, 0, 2, 3, 4, 5);

Deno.test("reportFailure() gives what ended a daemon the form of its log", () => {
  const report = reportFailure(new DaemonFailure(ERROR, AT), {
    debug: false,
    format: "text",
    speaker: REKEY_SPEAKER,
  });
  assertEquals(report, {
    text: "ERROR: 2030/01/02 03:04:05 no certificate\n" +
      "ERROR: 2030/01/02 03:04:05 hint: make one\n",
    exitCode: 65,
  });
});

Deno.test("reportFailure() gives a daemon no other JSON", () => {
  const options = {
    debug: false,
    format: "json",
    speaker: REKEY_SPEAKER,
  } as const;
  const { text } = reportFailure(new DaemonFailure(ERROR, AT), options);
  const { message, kind } = JSON.parse(text);
  assertEquals([message, kind], ["no certificate", "pair"]);
});

Deno.test("reportFailure() leaves the form of a single run as it is", () => {
  const options = {
    debug: false,
    format: "text",
    speaker: REKEY_SPEAKER,
  } as const;
  assertEquals(
    reportFailure(ERROR, options).text,
    "no certificate\nhint: make one\n",
  );
});
