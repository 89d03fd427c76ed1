/**
 * What every file of tests begins with.
 * @module
 */
import { beforeEach } from "vitest";
import { clearOfTheHour } from "./clear-of-the-hour.ts";

// Hours and days end while the suite runs; no test should begin so late that one ends within it.
beforeEach(() => clearOfTheHour(10));
