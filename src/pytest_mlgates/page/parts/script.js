"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const pieces = [...document.querySelectorAll("details.piece")];
  const words = $("words"), state = $("state"), PAGE = 100;
  let rest = [], found = [], at = 0;

  const matches = (text, is) => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    return (!state.value || state.value === is) && wanted.every((word) => text.includes(word));
  };

  const turn = (page) => {
    at = Math.max(0, Math.min(page, Math.ceil(found.length / PAGE) - 1));
    const rows = found.slice(at * PAGE, (at + 1) * PAGE).map(([is, system, entry, reason, test, digest]) => {
      const row = document.createElement("tr"), chip = document.createElement("span");
      chip.className = "chip " + is;
      chip.textContent = is.toUpperCase();
      row.insertCell().append(chip);
      for (const text of [system + ": " + entry, reason, test]) row.insertCell().textContent = text;
      const code = document.createElement("code");
      code.textContent = digest.slice(0, 16);
      code.title = digest;
      row.insertCell().append(code);
      return row;
    });
    $("rest").tBodies[0].replaceChildren(...rows);
    $("page").textContent = found.length
      ? `${at * PAGE + 1} to ${Math.min((at + 1) * PAGE, found.length)} of ${found.length}` : "none";
    $("back").disabled = at === 0;
    $("next").disabled = (at + 1) * PAGE >= found.length;
  };

  const filter = () => {
    let shown = 0;
    for (const piece of pieces) {
      piece.hidden = !matches(piece.texts ??= (piece.textContent + piece.id).toLowerCase(), piece.dataset.state);
      shown += !piece.hidden;
    }
    if (rest.length) {
      found = rest.filter((line) => matches(line.text ??= line.join(" ").toLowerCase(), line[0]));
      turn(0);
    }
    $("count").textContent = `${shown + found.length} of ${pieces.length + rest.length} shown`;
  };

  const follow = () => {
    const target = location.hash && $(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") {
      target.hidden = false;
      target.open = true;
      target.scrollIntoView();
    }
  };

  const unpack = async () => {
    const bytes = Uint8Array.from(atob($("packed").textContent), (c) => c.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    rest = JSON.parse(await new Response(plain).text());
    $("rest").hidden = false;
    document.querySelector(".pages").hidden = false;
    $("back").addEventListener("click", () => turn(at - 1));
    $("next").addEventListener("click", () => turn(at + 1));
    filter();
  };

  if (pieces.length) {
    const form = document.querySelector(".filter");
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    let soon;
    form.addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(filter, 120); });
    $("unfold").addEventListener("click", () => {
      const open = !pieces.every((piece) => piece.open);
      for (const piece of pieces) piece.open = open;
      $("unfold").textContent = open ? "Fold all" : "Unfold all";
    });
    filter();
  }
  if ($("packed")) unpack();
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => pieces.forEach((piece) => { piece.open = true; }));
  follow();
})();
