/* The square as the card will show it, before it is sent. Without this the same form works, only unseen. */

const file = document.getElementById("picture"), position = document.getElementById("position");
const canvas = document.getElementById("photo-cut");
let picture = null;

function draw() {
  canvas.hidden = picture === null;
  if (picture === null) return;
  const side = Math.min(picture.width, picture.height), part = position.value / 100;
  canvas.getContext("2d").drawImage(picture, (picture.width - side) * part, (picture.height - side) * part, side, side, 0, 0, canvas.width, canvas.height);
}

file.addEventListener("change", async () => {
  picture = file.files[0] ? await createImageBitmap(file.files[0]).catch(() => null) : null;   // no picture: the server says why
  draw();
});
position.addEventListener("input", draw);
