// Pictures that were chosen, before they are sent.

/**
 * A picture to ask about: the file as it is sent, an address under which this page can show it, what the server
 * knows of it, and the seed if it is a drawn scene.
 */
export class Picture {
  constructor(file, { name = file.name, seed = null } = {}) {
    this.file = file;
    this.name = name || "picture";
    this.seed = seed;
    this.url = URL.createObjectURL(file);
    this.hashes = new Map(); // by model: the hash by which the server knows it, once that model's detector has seen it
    this.shrunk = null; // { from, to } in bytes, if it had to be made smaller
    this.looks = new Map(); // by model: what the server answered about its regions
    this.questions = []; // to try
  }

  /** Frees what the browser holds. */
  forget() {
    URL.revokeObjectURL(this.url);
  }
}

/** The first picture in what was dropped or pasted, or null. Whether it is one the server decides: some have no type, or a wrong one. */
export function pictureIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
}

/** To how many pixels the longer side is shrunk, one after the other until the server takes it. Models look at fewer than the first of these. */
const sides = [2048, 1600, 1200, 800, 400];

/**
 * Makes a picture's file smaller, to at most limit bytes if that is known, else by a step each time. It is an error if this browser cannot read it, or if it
 * is as small as it gets.
 */
export async function shrink(picture, limit) {
  const bitmap = await createImageBitmap(picture.file);
  try {
    const longest = Math.max(bitmap.width, bitmap.height);
    const first = picture.shrunk?.side ?? longest + 1;
    for (const side of [...sides, ...(limit ? [200] : [])].filter((side) => side < first)) {
      const scale = Math.min(1, side / longest);
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(bitmap.width * scale));
      canvas.height = Math.max(1, Math.round(bitmap.height * scale));
      canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
      if (!blob || blob.size >= picture.file.size || (limit && blob.size > limit)) continue;
      picture.shrunk = { from: picture.shrunk?.from ?? picture.file.size, to: blob.size, side };
      picture.file = new File([blob], picture.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" });
      picture.hashes.clear();
      return;
    }
  } finally {
    bitmap.close();
  }
  throw new Error("it is as small as it gets");
}
