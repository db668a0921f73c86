/* The camera of the device: on, off, the next one, its torch. */

const WANTED = { width: { ideal: 1280 }, height: { ideal: 720 } };

export class Camera {
  constructor(video) {
    this.video = video;
    this.stream = null;
    this.chosen = null;
    this.count = 0;
    this.starts = 0;
    this.torch = false;
  }

  get track() { return this.stream?.getVideoTracks()[0] ?? null; }
  get isOn() { return this.track?.readyState === "live"; }
  get hasTorch() { return Boolean(this.track?.getCapabilities?.().torch); }

  /* Throws what getUserMedia throws (NotAllowedError, NotFoundError, NotReadableError). onEnded: it was taken away. */
  async start(onEnded) {
    this.stop();
    if (!navigator.mediaDevices) throw new DOMException("no camera without a secure connection", "NotFoundError");
    const which = this.chosen ? { deviceId: { exact: this.chosen } } : { facingMode: { ideal: "environment" } };
    const mine = this.starts;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...WANTED, ...which } });
    if (mine !== this.starts) {
      stream.getTracks().forEach((track) => track.stop());
      throw new DOMException("started or stopped again meanwhile", "AbortError");
    }
    this.stream = stream;
    this.track.addEventListener("ended", onEnded);
    this.video.srcObject = this.stream;
    await this.video.play();
    this.count = (await this.list()).length;
  }

  stop() {
    this.starts += 1;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = this.video.srcObject = null;
    this.torch = false;
  }

  async list() {
    return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
  }

  /* the next camera becomes the chosen one; start() switches it on */
  async chooseNext() {
    const ids = (await this.list()).map((device) => device.deviceId);
    this.chosen = ids[(ids.indexOf(this.track?.getSettings().deviceId) + 1) % ids.length] ?? null;
  }

  async switchTorch() {
    await this.track.applyConstraints({ advanced: [{ torch: !this.torch }] });
    this.torch = !this.torch;
  }

  /* resolves at the next picture of the camera */
  nextFrame() {
    if (!this.video.requestVideoFrameCallback) return new Promise((done) => setTimeout(done, 60));
    return new Promise((done) => this.video.requestVideoFrameCallback(done));
  }
}
