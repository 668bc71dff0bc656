// Answers in plain words. Times are shown in UTC, as the log has them, and in the reader's own time.

import { momentOf } from "./entry.js";

const PURPOSE_WORDS = {
  victim_search: "to find a victim of a crime",
  missing_person: "to find a missing person",
  threat: "to prevent a threat to life",
  terrorist_threat: "to prevent a terrorist attack",
  suspect: "to find a person suspected of a crime",
  convict: "to find a convicted person",
};

/** A second in UTC and, where it differs, in the reader's time zone. */
export function timeWords(seconds) {
  const utc = momentOf(seconds).replace("T", " ").replace("Z", " UTC");
  const date = new Date(seconds * 1000);
  if (date.getTimezoneOffset() === 0) return utc;
  return `${utc} (${date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })} your time)`;
}

const interval = ({ from, until }) => `${timeWords(from)} to ${timeWords(until)}`;

const UNKNOWN_WORDS = {
  gap: (found) => `The log states nothing for that time: there is a gap from ${interval(found)}. A gap is not “off”.`,
  before: (found) => `The log did not state anything yet. Its first statement is for ${timeWords(found.until)} and later.`,
  "not-yet": () =>
    "The log, as far as it is shown here, states nothing for that time yet. Its newest statements are older.",
  "not-a-camera": (found) => `“${found.camera}” was not on this log’s list of cameras at that time. Check the spelling of its name.`,
  "no-answer": () => "The log states that it did not know: the equipment at this camera did not answer. That is not “off”.",
  overdue: (found) =>
    `The log should have shown its statement by ${timeWords(found.reveal_by)}, and it is not shown here. Ask the operator why.`,
};

const MISBEHAVED_WORDS = {
  "no-camera": "The log lists this camera, but what it sealed says that there is no camera.",
  "does-not-open": "What the log sealed for this camera does not open with the key that the log itself published for it.",
  "no-slot": "What the log sealed for this camera is nothing that it may seal.",
};

function searchWords(found) {
  const by = found.authority === null ? "No public entry of the log names the authority." : `Ordered by: ${found.authority}.`;
  const counts =
    `In the interval before: faces compared in ${found.frames_compared} frames; ${found.candidates} candidates, ` +
    `${found.confirmed} confirmed and ${found.rejected} rejected by a person.`;
  return [`Stated purpose: ${PURPOSE_WORDS[found.purpose]}.`, by, counts, `Order (SHA-256): ${found.order}`];
}

/** What is to be said of an answer: a kind for its look, a headline, and sentences. */
export function answerWords(found) {
  const asked = `camera “${found.camera}” at ${timeWords(found.at)}`;
  const minute = found.tick === undefined ? "" : ` The statement is for ${interval(found)}.`;
  switch (found.answer) {
    case "off":
      return { kind: "off", headline: "STATED OFF", sentences: [`The log states that no face search ran on ${asked}.${minute}`] };
    case "on":
      return {
        kind: "on",
        headline: "STATED ON",
        sentences: [`The log states that a face search was on for ${asked}.${minute}`, ...searchWords(found)],
      };
    case "will-be-shown":
      return {
        kind: "later",
        headline: `WILL BE SHOWN ON ${timeWords(found.reveal_by)}`,
        sentences: [
          `The log has sealed what it states of ${asked}, and must show it by then.${minute}`,
          "Until then nobody can tell “on” from “off”: every camera’s statement is sealed alike, so this says nothing about a search.",
        ],
      };
    case "misbehaved":
      return {
        kind: "alarm",
        headline: "UNKNOWN: THE LOG MISBEHAVED",
        sentences: [`Asked about ${asked}. ${MISBEHAVED_WORDS[found.reason]}`, "No failure of equipment explains this. Keep the proof."],
      };
    default:
      return { kind: "unknown", headline: "UNKNOWN", sentences: [`Asked about ${asked}. ${UNKNOWN_WORDS[found.reason](found)}`] };
  }
}

/** Whether it was stated in time, in words; null where nothing was stated. */
export function witnessWords(found, policy) {
  if (found.tick === undefined) return null;
  if (policy.quorum === null) return "Unwitnessed: this page’s policy asks for no witness, so only the log itself vouches for when this was stated.";
  if (found.witnessed === null) return "Unwitnessed: no witness vouches for when this was stated.";
  const seen = timeWords(found.witnessed);
  return found.in_time
    ? `Stated in time: enough independent witnesses had seen this statement by ${seen}, not after the instant asked about.`
    : `Not shown to be stated in time: enough witnesses had first seen this statement at ${seen}, after the instant asked about.`;
}

const HISTORY_WORDS = {
  first: "This browser had seen nothing of this log before; it will remember this checkpoint and compare the next one with it.",
  same: "The checkpoint is the one that this browser saw last time.",
  grown: "The log has grown since this browser last saw it, and everything it had then is unchanged.",
};

/** What became of the comparison with what this browser had seen: [checked, not checked]. */
export function historyWords(history) {
  if (HISTORY_WORDS[history] !== undefined) return { checked: [HISTORY_WORDS[history]], unchecked: [] };
  if (history === "unchecked") return { checked: [], unchecked: ["That this is a continuation of what this browser saw of the log before: a proof file alone cannot show it."] };
  return { checked: [], unchecked: [] };
}

export const NOT_CHECKED = [
  "Whether what was stated is true. A log shows what was stated, when, and that nobody changed it since.",
  "The rest of the log. That it states nothing else for the same time is for whoever reads all of it: placet-verify does.",
  "That this page is the one that was published. Compare its digest with the published one, or get it from someone you trust.",
  "That your device’s clock is right. It decides whether a date is over.",
];
