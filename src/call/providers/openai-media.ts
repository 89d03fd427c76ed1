/**
 * Reading what an OpenAI request for pictures, speech or transcription asks for, as JSON or as a form.
 */
import type { Operation, Units } from "../call.ts";
import { formFile } from "../form.ts";
import { type Fields, fields, list, text, undecoded } from "../json.ts";
import { audioSeconds, openaiPictureTokens } from "../media.ts";

/** What a media request adds to what every request says. */
export interface MediaFacts {
  readonly units: Units;
  readonly variant?: string;
  readonly textBytes: number;
  readonly mediaTokens: number;
  readonly audioTokens: number;
  readonly outputTokens: number;
}

/** Operations that this file reads. */
export const isMedia = (operation: Operation): boolean =>
  operation === "images" || operation === "speech" || operation === "transcription";

/** The model where a request names none (developers.openai.com/api/docs/api-reference/images). */
export const defaultMediaModel = (operation: Operation): string | null => (operation === "images" ? "dall-e-2" : null);

/** The model that draws within a response, where its tool names none. */
export const DRAWS = "gpt-image-1";

/** What is asked for; a field that a form has not told yet is taken as its default. */
export function readMedia(operation: Operation, body: Fields, model: string): MediaFacts {
  if (operation === "images") return readPictures(body, model);
  return operation === "speech" ? readSpeech(body) : readRecording(body);
}

/** A picture that is handed in, where its size is not known, counts as one of the highest fidelity. */
const PICTURE_IN = 6_240;

/** What is put around the description of a picture: up to about 10 tokens in recorded traffic. */
const PROMPT_BYTES = 30;

function readPictures(body: Fields, model: string): MediaFacts {
  const images = Math.min(100, Math.max(1, Number(body.n) || 1));
  const size = text(body.size) ?? "";
  const quality = text(body.quality) ?? "";
  const isDallE = model.startsWith("dall-e");
  const files = [body.image, body.images, body.mask].flatMap((value) => (Array.isArray(value) ? value : [value]));
  const handedIn = files.filter(
    (value) => formFile(value) !== null || fields(value) !== null || undecoded(value) !== null,
  );
  return {
    units: { images: Math.ceil(images) },
    ...(isDallE && { variant: `${quality === "hd" ? "hd" : "standard"} ${/^\d/.test(size) ? size : "1024x1024"}` }),
    textBytes: Buffer.byteLength(text(body.prompt) ?? "") + PROMPT_BYTES,
    mediaTokens: isDallE ? 0 : handedIn.length * PICTURE_IN,
    audioTokens: 0,
    outputTokens: Math.ceil(images) * openaiPictureTokens(model, size, quality),
  };
}

/** Slow speech is 12 characters a second, and a second of it 21 tokens: $0.015 a minute at $12 per million. */
const CHARACTERS_PER_SECOND = 12;
const SPEECH_TOKENS = 21;

function readSpeech(body: Fields): MediaFacts {
  const input = text(body.input) ?? "";
  const characters = [...input].length;
  return {
    units: { characters },
    textBytes: Buffer.byteLength(input) + Buffer.byteLength(text(body.instructions) ?? ""),
    mediaTokens: 0,
    audioTokens: 0,
    outputTokens: Math.ceil(characters / CHARACTERS_PER_SECOND) * SPEECH_TOKENS,
  };
}

/** Spoken text is at most 5 tokens a second, and sound is heard at 10. */
const SPOKEN_TOKENS = 5;
const HEARD_TOKENS = 10;

function readRecording(body: Fields): MediaFacts {
  const seconds = audioSeconds(formFile(body.file)?.bytes ?? UNKNOWN_RECORDING);
  return {
    units: { audioSeconds: seconds },
    textBytes: Buffer.byteLength(text(body.prompt) ?? ""),
    mediaTokens: 0,
    audioTokens: seconds * HEARD_TOKENS,
    outputTokens: seconds * SPOKEN_TOKENS,
  };
}

/** Bytes of a recording that cannot be seen: ten minutes. */
const UNKNOWN_RECORDING = 4_800_000;

/** How many pictures an answer brings. */
export const picturesIn = (body: Fields): number => list(body.data).length;
