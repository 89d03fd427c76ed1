/** The variable that tells a probe where to write. */
export const FOLDER = "_DOCTOR_REPORTS";

/** What a probe saw in one process. */
export interface ProcessReport {
  readonly pid: number;
  readonly script: string | null;
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly node: string;
  /** Version of the guard, null where none is loaded. */
  readonly guard: string | null;
  readonly off: boolean;
  /** Whether the hooks are in place and what they live by still works. */
  readonly hooked: boolean;
  /** Folders of the copies that were loaded. */
  readonly undici: readonly string[];
  readonly api: readonly string[];
  readonly tracing: boolean;
  /** False where the process was still running when it was last looked at. */
  readonly ended: boolean;
}
