// Makes the pictures of a page live: by WebCodecs where the browser has it, else by Media Source Extensions, else by
// asking for JPEG pictures again and again. `?way=webcodecs|mse|jpeg` chooses.
"use strict";
(() => {
  const WAITED = 8; // pictures that a decoder may be behind
  const EDGE = 0.15; // seconds that the player stays behind the newest picture
  const LATE = 0.6; // seconds behind it from which the player jumps
  const KEPT = 10; // seconds that stay in the player
  const EVERY = 1000; // milliseconds between JPEG pictures
  const SLOWEST = 5000; // milliseconds between two tries to connect

  const wanted = new URLSearchParams(location.search).get("way");
  const ways = [];
  if ("VideoDecoder" in window && (wanted ?? "webcodecs") === "webcodecs") ways.push(byWebCodecs);
  if ("MediaSource" in window && (wanted ?? "mse") === "mse") ways.push(byMediaSource);

  /** The boxes of an MP4 segment: kind, and where content starts and ends. */
  function* boxes(view, from, to) {
    for (let at = from; at + 8 <= to; ) {
      const size = view.getUint32(at);
      const kind = String.fromCharCode(...[4, 5, 6, 7].map((n) => view.getUint8(at + n)));
      if (size < 8) return;
      yield { kind, start: at + 8, end: at + size };
      at += size;
    }
  }

  /** The one picture of a fragment. */
  function picture(buffer) {
    const view = new DataView(buffer);
    const found = {};
    const look = (from, to) => {
      for (const { kind, start, end } of boxes(view, from, to)) {
        if (kind === "moof" || kind === "traf") look(start, end);
        if (kind === "tfdt") found.time = Number(view.getBigUint64(start + 4));
        if (kind === "trun") [found.ticks, found.flags] = [view.getUint32(start + 12), view.getUint32(start + 20)];
        if (kind === "mdat") found.data = new Uint8Array(buffer, start, end - start);
      }
    };
    look(0, buffer.byteLength);
    return { ...found, key: (found.flags & 0x10000) === 0 };
  }

  const isStart = (buffer) => new DataView(buffer).getUint32(4) === 0x66747970; // ftyp

  function byWebCodecs(fail) {
    const element = document.createElement("canvas");
    const context = element.getContext("2d");
    let decoder;
    let whole = false;
    const stop = () => decoder?.state !== "closed" && decoder?.close();
    return {
      element,
      stop,
      start({ codec, width, height, description }) {
        stop();
        [element.width, element.height, whole] = [width, height, false];
        decoder = new VideoDecoder({
          output(frame) {
            context.drawImage(frame, 0, 0);
            frame.close();
          },
          error: fail,
        });
        const bytes = Uint8Array.from(atob(description), (c) => c.charCodeAt(0));
        decoder.configure({ codec, description: bytes, codedWidth: width, codedHeight: height, optimizeForLatency: true });
      },
      segment(buffer) {
        if (decoder === undefined || isStart(buffer)) return;
        const { time, ticks, key, data } = picture(buffer);
        // Behind: go on where a picture stands alone.
        if (decoder.decodeQueueSize > WAITED) whole = false;
        whole ||= key;
        if (!whole) return;
        const micro = (value) => Math.round((value * 1e6) / 90000);
        decoder.decode(
          new EncodedVideoChunk({ type: key ? "key" : "delta", timestamp: micro(time), duration: micro(ticks), data }),
        );
      },
    };
  }

  function byMediaSource(fail) {
    const element = document.createElement("video");
    [element.muted, element.playsInline, element.autoplay] = [true, true, true];
    let source;
    let buffer;
    let waiting = [];
    const stop = () => {
      if (element.src) URL.revokeObjectURL(element.src);
      [source, buffer, waiting] = [undefined, undefined, []];
    };
    const chase = () => {
      if (buffer.buffered.length === 0) return;
      const [first, newest] = [buffer.buffered.start(0), buffer.buffered.end(buffer.buffered.length - 1)];
      // Whatever delays playing, the newest picture is the one to show.
      if (newest - element.currentTime > LATE || element.currentTime < first)
        element.currentTime = Math.max(first, newest - EDGE);
      if (element.paused) element.play().catch(() => {});
      if (!buffer.updating && newest - first > 2 * KEPT) buffer.remove(first, newest - KEPT);
    };
    const feed = () => {
      if (buffer === undefined || buffer.updating) return;
      chase();
      if (!buffer.updating && waiting.length > 0) buffer.appendBuffer(waiting.shift());
    };
    return {
      element,
      stop,
      start({ codec }) {
        const kind = `video/mp4; codecs="${codec}"`;
        if (!MediaSource.isTypeSupported(kind)) return fail(new Error(`${kind} is not played here`));
        stop();
        const opened = (source = new MediaSource());
        element.src = URL.createObjectURL(opened);
        opened.addEventListener("sourceopen", () => {
          if (opened !== source) return;
          buffer = opened.addSourceBuffer(kind);
          buffer.addEventListener("updateend", feed);
          buffer.addEventListener("error", fail);
          feed();
        });
        return undefined;
      },
      segment(bytes) {
        waiting.push(bytes);
        feed();
      },
    };
  }

  class Camera {
    constructor(figure) {
      this.name = figure.dataset.camera;
      this.box = figure.querySelector(".picture");
      this.image = figure.querySelector("img");
      this.state = figure.querySelector(".state");
      this.way = 0;
      this.pause = 250;
      this.connect();
    }

    tell(state, words) {
      if (this.state.textContent === words) return;
      [this.state.dataset.state, this.state.textContent] = [state, words];
    }

    show(element) {
      if (this.box.firstElementChild !== element) this.box.replaceChildren(element);
    }

    connect() {
      const make = ways[this.way];
      const scheme = location.protocol === "https:" ? "wss:" : "ws:";
      const socket = new WebSocket(`${scheme}//${location.host}/camera/${this.name}/live`);
      socket.binaryType = "arraybuffer";
      let failed = false;
      const player = make?.((cause) => {
        if (failed) return;
        failed = true;
        console.info(`${this.name}: another way, since ${cause?.message ?? "this one failed"}`);
        this.way += 1;
        socket.close();
      });
      if (player === undefined) this.ask();
      socket.addEventListener("message", ({ data }) => {
        this.pause = 250;
        try {
          if (typeof data !== "string") return player?.segment(data);
          const message = JSON.parse(data);
          if (message.kind === "state") this.tell(message.state, message.words);
          if (message.kind === "start" && player !== undefined) {
            player.start(message);
            this.show(player.element);
          }
        } catch (cause) {
          if (!failed && player !== undefined) {
            failed = true;
            this.way += 1;
          }
          socket.close();
        }
        return undefined;
      });
      socket.addEventListener("close", () => {
        player?.stop();
        if (!failed) this.tell("LOST", "LOST (no connection to the gateway; trying again)");
        setTimeout(() => this.connect(), failed ? 0 : this.pause);
        this.pause = Math.min(2 * this.pause, SLOWEST);
      });
    }

    /** Pictures one after the other, while no player works. */
    ask() {
      if (this.asking) return;
      this.asking = true;
      this.show(this.image);
      const again = () => setTimeout(() => (this.image.src = `/camera/${this.name}/picture.jpg?${Date.now()}`), EVERY);
      this.image.addEventListener("load", again);
      this.image.addEventListener("error", again);
      again();
    }
  }

  for (const figure of document.querySelectorAll(".camera")) new Camera(figure);
})();
