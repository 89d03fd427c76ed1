/**
 * The entry of `node --require budget-guard/register app.js` (and of `--import`): everything happens before user code.
 * @module
 */
import { start } from "./start.ts";

start();
