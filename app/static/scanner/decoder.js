/* Finds the QR code in a picture. The reader is zxing-wasm, loaded beforehand as the global ZXingWASM; its
   WebAssembly comes from our own address, never from where it would fetch it by default. */

const OPTIONS = { formats: ["QRCode"], maxNumberOfSymbols: 1, tryInvert: false };

export class Decoder {
  constructor(wasmUrl) {
    this.isReady = this.load(wasmUrl).then(() => true, () => false);   // a promise: false where it could not be loaded
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  async load(wasmUrl) {
    await ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => wasmUrl }, fireImmediately: true });
  }

  /* the text of the code in an ImageData, or null */
  async read(image, options = OPTIONS) {
    const [found] = await ZXingWASM.readBarcodes(image, options);
    return found?.isValid ? found.text : null;
  }

  /* the text of the code in what the camera shows now, or null */
  readFrame(video) {
    this.canvas.width = video.videoWidth;
    this.canvas.height = video.videoHeight;
    this.context.drawImage(video, 0, 0);
    return this.read(this.context.getImageData(0, 0, this.canvas.width, this.canvas.height));
  }

  /* the text of the code in a picture file, or null; null too for a file that is no picture */
  async readFile(file) {
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      return null;
    }
    const shrink = Math.min(1, 2000 / Math.max(picture.width, picture.height));
    this.canvas.width = Math.max(1, picture.width * shrink);
    this.canvas.height = Math.max(1, picture.height * shrink);
    this.context.fillStyle = "#fff";   // a picture without ground is drawn on white
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.context.drawImage(picture, 0, 0, this.canvas.width, this.canvas.height);
    return this.read(this.context.getImageData(0, 0, this.canvas.width, this.canvas.height), { ...OPTIONS, tryInvert: true });
  }
}
