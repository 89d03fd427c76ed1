/**
 * The language server as a program of its own, for an editor's extension that brings it along.
 * @module
 */
import { serve } from "./server.ts";

serve(process.env);
