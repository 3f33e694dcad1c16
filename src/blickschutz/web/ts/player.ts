// Plays one live stream: fragments of MP4 into a video element by Media Source Extensions.
// Knows nothing of cameras or states; says when a picture came and when it cannot go on.

const KEEP_S = 8;
const JUMP_S = 1.5;
const EDGE_S = 0.15;

export class Player {
  private source: MediaSource | null = null;
  private buffer: SourceBuffer | null = null;
  private address = "";
  private readonly waiting: ArrayBuffer[] = [];

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly onFailure: () => void,
  ) {}

  /** Begin a new stream; what was shown before is gone. */
  begin(codec: string): void {
    this.end();
    const type = `video/mp4; codecs="${codec}"`;
    if (!("MediaSource" in window) || !MediaSource.isTypeSupported(type)) {
      this.onFailure();
      return;
    }
    const source = new MediaSource();
    this.source = source;
    this.address = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      if (this.source !== source) return;
      this.buffer = source.addSourceBuffer(type);
      this.buffer.mode = "segments";
      this.buffer.addEventListener("updateend", () => this.feed());
      this.buffer.addEventListener("error", () => this.onFailure());
      this.feed();
    }, { once: true });
    this.video.src = this.address;
  }

  append(data: ArrayBuffer): void {
    if (!this.source) return;
    this.waiting.push(data);
    this.feed();
  }

  end(): void {
    this.waiting.length = 0;
    this.buffer = null;
    this.source = null;
    this.video.removeAttribute("src");
    this.video.load();
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = "";
  }

  /** Go to the newest picture: after a pause in the background, or when the player fell behind. */
  catchUp(force = false): void {
    const ranges = this.video.buffered;
    if (!ranges.length) return;
    const edge = ranges.end(ranges.length - 1);
    const start = ranges.start(ranges.length - 1);
    const behind = edge - this.video.currentTime;
    if (force || behind > JUMP_S || this.video.currentTime < start) {
      this.video.currentTime = Math.max(start, edge - EDGE_S);
    }
    this.video.playbackRate = behind > 0.6 ? 1.1 : 1;
    if (this.video.paused) void this.video.play().catch(() => undefined);
  }

  private feed(): void {
    const buffer = this.buffer;
    if (!buffer || buffer.updating || this.source?.readyState !== "open") return;
    try {
      if (buffer.buffered.length && this.video.currentTime - buffer.buffered.start(0) > 2 * KEEP_S) {
        buffer.remove(0, this.video.currentTime - KEEP_S);
        return;
      }
      const parts = this.waiting.splice(0);
      if (!parts.length) {
        this.catchUp();
        return;
      }
      buffer.appendBuffer(joined(parts));
    } catch {
      this.onFailure();
    }
  }
}

function joined(parts: ArrayBuffer[]): ArrayBuffer {
  if (parts.length === 1 && parts[0]) return parts[0];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(new Uint8Array(part), offset);
    offset += part.byteLength;
  }
  return whole.buffer;
}
