"use strict";
// What a row of numbers looks like: words and regions on one scale, the picture dark where nothing counts.
const data = JSON.parse(document.getElementById("data").textContent);
const picture = document.getElementById("picture");
const ember = [[0, 0x2e, 0x32, 0x3b], [0.3, 0x6f, 0x3c, 0x1e], [0.6, 0xc4, 0x66, 0x0c], [0.8, 0xe6, 0x9f, 0x00], [1, 0xfa, 0xe9, 0x8a]];

function mixed(shade) {
  let i = 1;
  while (i < ember.length - 1 && shade > ember[i][0]) i++;
  const a = ember[i - 1], b = ember[i], t = Math.min(1, Math.max(0, (shade - a[0]) / (b[0] - a[0])));
  return [1, 2, 3].map(k => Math.round(a[k] + t * (b[k] - a[k])));
}
const color = shade => "rgb(" + mixed(shade).join(" ") + ")";

// Black or white, whichever is read better on a shade.
function ink(shade) {
  const [r, g, b] = mixed(shade).map(v => v / 255 <= 0.04045 ? v / 255 / 12.92 : Math.pow((v / 255 + 0.055) / 1.055, 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

// Shades stretch numbers to 0..1, those that take part; all are 0 where none is higher.
function stretch(row, takesPart, floor) {
  const used = row.filter((_, i) => takesPart(i));
  const low = Math.min(...used, floor ?? Infinity), high = Math.max(...used, floor ?? -Infinity);
  return row.map((x, i) => takesPart(i) && high > low ? (x - low) / (high - low) : 0);
}

const number = x => x !== 0 && Math.abs(x) < 0.001 ? x.toPrecision(1) : x.toFixed(3);

// The smaller region lies on the larger.
const area = b => Math.abs((b[2] - b[0]) * (b[3] - b[1]));
const bySize = data.regions.map((_, i) => i).sort((a, b) => area(data.regions[b].box) - area(data.regions[a].box));

function build(section) {
  const q = data.questions[section.dataset.index];
  const words = [...section.querySelectorAll(".word")], regionList = section.querySelector(".regions");
  const canvas = section.querySelector("canvas"), boxes = section.querySelector(".boxes"), said = section.querySelector(".said");
  const look = section.querySelector(".look"), head = section.querySelector(".head"), heads = section.querySelector(".heads");
  let held = null;

  const boxOf = data.regions.map((r, i) => {
    const box = document.createElement("div");
    box.className = "box";
    const [x1, y1, x2, y2] = [Math.min(r.box[0], r.box[2]), Math.min(r.box[1], r.box[3]), Math.max(r.box[0], r.box[2]), Math.max(r.box[1], r.box[3])];
    Object.assign(box.style, { left: 100 * x1 + "%", top: 100 * y1 + "%", width: 100 * (x2 - x1) + "%", height: 100 * (y2 - y1) + "%" });
    const plate = document.createElement("b"); // above its box, where that has room
    if (y1 > 0.06) Object.assign(plate.style, { top: "auto", bottom: "100%" });
    if (x1 > 0.7) Object.assign(plate.style, { left: "auto", right: "-2px" });
    box.append(plate);
    return box;
  });
  for (const i of bySize) boxes.append(boxOf[i]);

  for (const m of q.maps ?? []) look.append(new Option(m.name, m.name));
  const heading = (q.maps ?? []).find(m => m.heads);
  if (heading) heading.heads.forEach((_, i) => head.append(new Option(String(i), String(i))));

  // rows is what is looked at: for each token and each region, what it draws on; null where that is not known.
  function rows() {
    const map = (q.maps ?? []).find(m => m.name === look.value);
    if (!map) return { token: { tokens: q.token_token, regions: q.token_region }, region: { tokens: q.region_token, regions: q.region_region } };
    const matrix = head.value !== "" && map.heads ? map.heads[head.value] : map.mean;
    const of = { token: { tokens: null, regions: null }, region: { tokens: null, regions: null } };
    of[map.queries === "tokens" ? "token" : "region"][map.keys] = matrix;
    return of;
  }

  const isWord = i => !q.special[i];
  function show() {
    const of = rows(), by = held ?? { kind: "token", at: 0 };
    const from = of[by.kind];
    let tokens = from.tokens ? from.tokens[by.at].slice() : null, regions = from.regions ? from.regions[by.at].slice() : null;
    // What a word or a region draws on, besides itself.
    if (tokens && by.kind === "token" && !look.value) tokens[by.at] = 0;
    if (regions && by.kind === "region" && !look.value) regions[by.at] = 0;
    const original = !held && !look.value;
    const tokenShades = original ? q.token_shades : tokens ? stretch(tokens, isWord, 0) : q.special.map(() => 0);
    const regionShades = original ? q.region_shades : regions ? stretch(regions, () => true) : data.regions.map(() => 0);

    for (const w of words) {
      const s = tokenShades[w.dataset.token];
      w.style.background = color(s);
      w.style.color = ink(s);
      w.title = tokens ? "score " + number(tokens[w.dataset.token]) : "";
      const on = held?.kind === "token" && held.at === +w.dataset.token;
      w.classList.toggle("held", on);
      w.setAttribute("aria-pressed", on);
    }
    const scores = regions ?? data.regions.map(() => 0);
    const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
    for (const item of order.map(i => regionItem[i])) regionList.append(item.li);
    data.regions.forEach((r, i) => {
      const s = regionShades[i], item = regionItem[i], on = held?.kind === "region" && held.at === i;
      item.swatch.style.background = color(s);
      const told = on && by.kind === "region" && !look.value ? "itself" : regions ? number(regions[i]) : "–";
      item.score.textContent = told;
      item.button.classList.toggle("held", on);
      item.button.setAttribute("aria-pressed", on);
      const box = boxOf[i];
      box.classList.toggle("on", regions !== null && order.indexOf(i) < 3 && s >= 0.1);
      box.classList.toggle("held", on);
      box.style.setProperty("--c", color(0.35 + 0.65 * s));
      box.firstChild.textContent = r.name + (regions && told !== "itself" ? " " + told : "");
      box.firstChild.style.color = ink(0.35 + 0.65 * s);
    });
    paint(regionShades, regions === null);
    say(by, tokens, regions);
  }

  function say(by, tokens, regions) {
    const who = !held ? "the answer" : by.kind === "token" ? "“" + q.words[by.at] + "”" : data.regions[by.at].name;
    if (!tokens && !regions) said.textContent = held || look.value ? "Of what " + who + " draws on, this says nothing." : "";
    else if (regions && Math.max(...regions) <= 0) said.textContent = "Nothing in the picture counts for " + who + " here.";
    else said.textContent = held ? "What " + who + " draws on." : "";
  }

  function paint(shades, unknown) {
    const times = Math.max(1, Math.ceil(900 / Math.max(picture.naturalWidth, picture.naturalHeight))); // so that edges are sharp on small pictures
    const w = canvas.width = times * picture.naturalWidth, h = canvas.height = times * picture.naturalHeight, c = canvas.getContext("2d");
    c.drawImage(picture, 0, 0, w, h);
    const shade = document.createElement("canvas");
    shade.width = w; shade.height = h;
    const s = shade.getContext("2d");
    const fill = (value, x, y, dx, dy) => {
      s.clearRect(x, y, dx, dy);
      s.fillStyle = "rgb(11 12 14 / " + (0.76 * (1 - Math.pow(value, 0.8))) + ")";
      s.fillRect(x, y, dx, dy);
      s.fillStyle = "rgb(230 159 0 / " + 0.1 * value + ")";
      s.fillRect(x, y, dx, dy);
    };
    fill(unknown ? 0.3 : 0, 0, 0, w, h);
    if (!unknown) for (const i of bySize) {
      const b = data.regions[i].box.map((v, k) => Math.round(Math.min(1, Math.max(0, v)) * (k % 2 ? h : w)));
      const x = Math.min(b[0], b[2]), y = Math.min(b[1], b[3]);
      fill(shades[i], x, y, Math.abs(b[2] - b[0]), Math.abs(b[3] - b[1]));
    }
    c.drawImage(shade, 0, 0);
  }

  // All regions are listed, whatever the page listed before.
  regionList.replaceChildren();
  const regionItem = data.regions.map((r, i) => {
    const li = document.createElement("li"), button = document.createElement("button");
    const swatch = document.createElement("span"), name = document.createElement("span"), score = document.createElement("span");
    button.type = "button";
    button.className = "region";
    swatch.className = "swatch";
    name.className = "name";
    name.textContent = r.name;
    score.className = "score";
    button.append(swatch, name, " ", score);
    li.append(button);
    return { li, button, swatch, score, at: i };
  });

  // Pointing looks, a click or a key holds, another lets go.
  let fixed = null;
  const same = (a, b) => a && b && a.kind === b.kind && a.at === b.at;
  const point = to => { if (!fixed && !same(held, to)) { held = to; show(); } };
  const hold = to => { fixed = same(fixed, to) ? null : to; held = fixed; show(); };
  for (const w of words) {
    const to = { kind: "token", at: +w.dataset.token };
    w.addEventListener("pointerenter", e => { if (e.pointerType === "mouse") point(to); });
    w.addEventListener("pointerleave", e => { if (e.pointerType === "mouse") point(null); });
    w.addEventListener("click", () => hold(to));
  }
  for (const item of regionItem) {
    const to = { kind: "region", at: item.at };
    // The list is put in order when what is looked at changes: it must not move away under the pointer.
    item.button.addEventListener("click", () => hold(to));
  }
  const under = e => {
    const r = boxes.getBoundingClientRect(), x = (e.clientX - r.left) / r.width, y = (e.clientY - r.top) / r.height;
    for (let k = bySize.length - 1; k >= 0; k--) {
      const b = data.regions[bySize[k]].box, between = (v, p, q) => v >= Math.min(p, q) && v <= Math.max(p, q);
      if (between(x, b[0], b[2]) && between(y, b[1], b[3])) return { kind: "region", at: bySize[k] };
    }
    return null;
  };
  boxes.addEventListener("pointermove", e => { if (e.pointerType === "mouse") point(under(e)); });
  boxes.addEventListener("pointerleave", () => point(null));
  boxes.addEventListener("click", e => { const to = under(e); if (to) hold(to); });
  section.addEventListener("keydown", e => { if (e.key === "Escape") { fixed = held = null; show(); } });
  look.addEventListener("change", () => {
    heads.hidden = !(q.maps ?? []).some(m => m.name === look.value && m.heads);
    show();
  });
  head.addEventListener("change", show);
  look.disabled = look.options.length < 2;
  show();
}

function start() {
  document.body.classList.add("ready");
  document.querySelectorAll(".card").forEach(build);
}
if (picture.complete) start();
else picture.addEventListener("load", start);
