/**
 * Every endpoint that is known by name: what it does, how it is counted, and in whose words it answers. The tests check
 * each row, and docs/coverage.md is printed from the same rows.
 * @module
 */
import { gateways } from "./gateways.ts";
import { makers } from "./makers.ts";
import { others } from "./others.ts";
import type { Row } from "./row.ts";

export const endpoints: readonly Row[] = [...makers, ...others, ...gateways];
