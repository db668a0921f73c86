/* What is heard and felt: one high for yes, two middle for look closer, one low for no. */

const TONES = { ok: [[1320, 0.14]], check: [[740, 0.1], [740, 0.1]], other: [[740, 0.1], [740, 0.1]], unsure: [[740, 0.1], [740, 0.1]], no: [[220, 0.4]] };
const BUZZES = { ok: [60], check: [60, 90, 60], other: [60, 90, 60], unsure: [60, 90, 60], no: [350] };

let sound = null;

/* Browsers let a page sound only after somebody has touched it. */
for (const touch of ["pointerdown", "keydown"]) {
  addEventListener(touch, () => { sound ??= new AudioContext(); sound.resume(); }, { once: true, capture: true });
}

export function signal(panel) {
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(BUZZES[panel]);
  if (sound?.state !== "running") return;
  let at = sound.currentTime;
  for (const [pitch, length] of TONES[panel]) {
    const tone = sound.createOscillator(), volume = sound.createGain();
    tone.type = "triangle";
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.4, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + length);
    tone.connect(volume).connect(sound.destination);
    tone.start(at);
    tone.stop(at + length);
    at += length + 0.08;
  }
}
