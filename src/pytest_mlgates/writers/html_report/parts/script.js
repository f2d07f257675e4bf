"use strict";
(() => {
  const PAGE = 50;
  const $ = (id) => document.getElementById(id);
  const list = $("pieces"), words = $("words"), state = $("state");
  // a piece is an element that is there, or a line that becomes one when it is shown
  let pieces = [...list.querySelectorAll("details.piece")].map((el) => ({ id: el.id, state: el.dataset.state, el }));
  let found = pieces, at = 0, unfolded = false;

  const make = (tag, text, kind) => {
    const el = document.createElement(tag);
    if (text) el.textContent = text;
    if (kind) el.className = kind;
    return el;
  };

  const template = (html) => {
    const el = document.createElement("template");
    el.innerHTML = html; // the page's own template made it, and escaped what was recorded
    return el.content;
  };

  const fill = (piece) => {
    if (!piece.line) return;
    const [, , reason, test, digest, body] = piece.line;
    if (body) {
      piece.el.append(template(body));
    } else {
      const inside = make("div", "", "inside"), where = make("p");
      where.append(make("code", digest), ` in report.json; test ${test}`);
      inside.append(make("p", reason, "reason " + piece.state), where);
      piece.el.append(inside);
    }
    piece.text = textOf(piece);
    piece.line = null;
  };

  const element = (piece) => {
    if (piece.el) return piece.el;
    const el = make("details", "", "piece"), summary = make("summary");
    el.id = piece.id;
    el.dataset.state = piece.state;
    summary.append(make("span", piece.state.toUpperCase(), "chip " + piece.state), " ",
      make("b", piece.line[1]), " ", make("span", piece.line[2]));
    el.append(summary);
    el.addEventListener("toggle", () => fill(piece));
    return piece.el = el;
  };

  const textOf = (piece) => {
    if (piece.text) return piece.text;
    const told = piece.line
      ? piece.line.slice(0, 5).join(" ") + " " + (piece.line[5] && template(piece.line[5]).textContent)
      : piece.el.textContent + " " + piece.id;
    return piece.text = told.toLowerCase();
  };

  const open = (piece) => { fill(piece); piece.el.open = true; };
  const shown = () => found.slice(at * PAGE, (at + 1) * PAGE);

  const turn = (page) => {
    at = Math.max(0, Math.min(page, Math.ceil(found.length / PAGE) - 1));
    list.replaceChildren(...shown().map(element));
    if (unfolded) shown().forEach(open);
    const nav = document.querySelector(".pages");
    if (!nav) return;
    nav.hidden = found.length <= PAGE;
    $("page").textContent = `${at * PAGE + 1} to ${Math.min((at + 1) * PAGE, found.length)} of ${found.length}`;
    $("back").disabled = at === 0;
    $("next").disabled = (at + 1) * PAGE >= found.length;
  };

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = pieces.filter((piece) => (!state.value || state.value === piece.state)
      && (!wanted.length || wanted.every((word) => textOf(piece).includes(word))));
    turn(0);
    $("count").textContent = `${found.length} of ${pieces.length} shown`;
  };

  const follow = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const piece = id.startsWith("e-") && pieces.find((one) => one.id === id);
    if (!piece) return;
    if (!found.includes(piece)) {
      words.value = state.value = "";
      filter();
    }
    turn(Math.floor(found.indexOf(piece) / PAGE));
    open(piece);
    piece.el.scrollIntoView();
    piece.el.querySelector("summary").focus({ preventScroll: true });
  };

  const unpack = async () => {
    const bytes = Uint8Array.from(atob($("packed").textContent), (c) => c.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const lines = JSON.parse(await new Response(plain).text());
    pieces = pieces.concat(lines.map((line) => ({ id: "e-" + line[4], state: line[0], line })));
    $("back").addEventListener("click", () => turn(at - 1));
    $("next").addEventListener("click", () => turn(at + 1));
  };

  const start = async () => {
    if (!pieces.length) return;
    if ($("packed")) await unpack();
    const form = document.querySelector(".filter");
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    let soon;
    form.addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(filter, 120); });
    $("unfold").addEventListener("click", () => {
      unfolded = !unfolded;
      for (const piece of shown()) unfolded ? open(piece) : piece.el.open = false;
      $("unfold").textContent = unfolded ? "Fold all" : "Unfold all";
    });
    filter();
    addEventListener("hashchange", follow);
    addEventListener("beforeprint", () => {
      // what passed is a line, unless it was unfolded; an auditor's page is never folded
      shown().filter((piece) => !["pass", "caught"].includes(piece.state)).forEach(open);
      document.querySelectorAll(".annex details:not(.piece, .piece *)").forEach((one) => { one.open = true; });
      document.querySelectorAll(".piece[open] .policy").forEach((policy) => { policy.open = true; });
    });
    follow();
  };
  start();
})();
