/** Waits out the last seconds of an hour, so that a calendar window cannot end in the middle of a test. */
export async function clearOfTheHour(seconds = 20): Promise<void> {
  const left = 3_600_000 - (Date.now() % 3_600_000);
  if (left < seconds * 1000) await new Promise((resolve) => setTimeout(resolve, left + 50));
}
