/**
 * New records as they are written: one answer that goes on for minutes, read line by line, and begun anew when it ends.
 */
import { stream } from "./api.js";
import { currentToken } from "./session.js";

const SILENCE_MS = 45000;
const LONGEST_WAIT_MS = 30000;

/** @typedef {"live" | "connecting" | "waiting" | "paused"} State */

export class Live {
  /**
   * @param {(record: any) => void} onRecord
   * @param {(state: State, words: string) => void} onState
   * @param {() => void} onAgain what came meanwhile may have been missed
   */
  constructor(onRecord, onState, onAgain) {
    this.onRecord = onRecord;
    this.onState = onState;
    this.onAgain = onAgain;
    /** @type {AbortController | null} */
    this.running = null;
  }

  /** Begin, unless it runs. */
  start() {
    if (this.running !== null || currentToken() === null) return;
    this.running = new AbortController();
    this.follow(this.running.signal);
  }

  /** @param {string} words why */
  stop(words = "Live updates are off") {
    this.running?.abort();
    this.running = null;
    this.onState("paused", words);
  }

  /** @param {AbortSignal} stopped */
  async follow(stopped) {
    let failures = 0;
    for (let round = 0; !stopped.aborted; round += 1) {
      this.onState("connecting", "Connecting …");
      try {
        await this.read(stopped, () => {
          if (round > 0) this.onAgain();
          failures = 0;
        });
      } catch {
        failures += 1;
      }
      if (stopped.aborted) return;
      if (currentToken() === null) return this.stop("Logged out");
      if (failures > 0) await this.wait(stopped, Math.min(1000 * 2 ** (failures - 1), LONGEST_WAIT_MS));
    }
  }

  /**
   * @param {AbortSignal} stopped
   * @param {() => void} connected
   */
  async read(stopped, connected) {
    const silent = new AbortController();
    let timer = setTimeout(() => silent.abort(), SILENCE_MS);
    try {
      const response = await stream("/api/audit/live", null, AbortSignal.any([stopped, silent.signal]));
      this.onState("live", "Live");
      connected();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => silent.abort(), SILENCE_MS);
        const lines = (rest + value).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.take(line);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {string} line */
  take(line) {
    if (line === "") return;
    const { record } = JSON.parse(line);
    if (record) this.onRecord(record);
  }

  /**
   * @param {AbortSignal} stopped
   * @param {number} milliseconds
   */
  async wait(stopped, milliseconds) {
    const seconds = Math.round(milliseconds / 1000);
    this.onState("waiting", `Not connected; trying again in ${seconds} s`);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      stopped.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }
}
