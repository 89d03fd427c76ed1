// The tests of all runs in one line, added up from the JSON reports that vitest left in a folder.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [folder = "."] = process.argv.slice(2);
const reports = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
const sum = (count) => reports.reduce((total, report) => total + count(report), 0);

const passed = sum((report) => report.numPassedTests);
// A file that could not be loaded, or whose set-up failed, has no failed test, and is one failure itself.
const broken = ({ status, assertionResults }) =>
  status === "failed" && assertionResults.every((test) => test.status !== "failed");
const failed = sum((report) => report.numFailedTests + report.testResults.filter(broken).length);
const skipped = sum((report) => report.numPendingTests + report.numTodoTests);

process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}\n`);
process.exit(passed > 0 && failed === 0 && reports.every(({ success }) => success) ? 0 : 1);
