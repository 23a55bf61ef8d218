// Makes the pages quicker and walkable by keys. Without it they all work the same, one full page at a time.
//
// A question or a filter is fetched as the page it leads to, and that page's parts replace those on the screen.
// One request counts at a time: a new one aborts the one before, and whatever still comes of that is dropped.
// What the script says is worded by the server: see waiting.html.
(() => {
  "use strict";

  const SKELETON_AFTER_MS = 150;
  const KEPT_PAGES = 20;
  const MOST_RETRIES = 6;
  const MOST_WAIT_S = 60;
  const PARTS = ["header.top", "#main", "footer.foot"];
  const ENTERABLE = ".hit-title a, .examples a";

  const status = document.getElementById("status");
  const pages = new Map(); // by the key of a history entry: the HTML it showed
  let asked = 0; // counts requests; only the last one may change the page
  let pending = new AbortController();
  let retryTimer = 0;
  let key = history.state?.key ?? newKey();
  let shown = pageOf(location);

  const box = () => document.getElementById("q");
  const fine = () => !matchMedia("(pointer: coarse)").matches;

  function newKey() {
    return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  }

  function pageOf(url) {
    return url.pathname + url.search;
  }

  // Where each entry was scrolled to outlives this document: Back from an article may load a new one.
  function rememberScroll() {
    try {
      sessionStorage.setItem(`scroll ${key}`, String(scrollY));
    } catch {
      // Storage is full or forbidden: Back then leads to the top.
    }
  }

  function recallScroll() {
    let top = null;
    try {
      top = sessionStorage.getItem(`scroll ${key}`);
    } catch {
      // As above.
    }
    if (top !== null) scrollTo({ top: Number(top), behavior: "instant" });
  }

  function keep(html) {
    pages.set(key, html);
    if (pages.size > KEPT_PAGES) pages.delete(pages.keys().next().value);
  }

  // Only here, because without the script the keys do nothing.
  function nameKeys() {
    box()?.setAttribute("aria-keyshortcuts", "/");
    box()?.setAttribute("title", status.dataset.shortcuts);
  }

  // Puts a page's parts in place of those on the screen. False when the text is not one of our pages.
  function show(html, { submitted = null } = {}) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const parts = PARTS.map((part) => page.querySelector(part));
    if (parts.includes(null)) return false;
    page.querySelector("[autofocus]")?.removeAttribute("autofocus"); // refocus() decides
    const filtersOpen = document.querySelector(".filters details")?.open;
    const [before, selection] = [box(), [box()?.selectionStart, box()?.selectionEnd]];
    const edited = before === document.activeElement && before && before.value !== (submitted ?? before.defaultValue);
    parts.forEach((part, place) => document.querySelector(PARTS[place]).replaceWith(document.adoptNode(part)));
    document.title = page.title;
    document.documentElement.lang = page.documentElement.lang;
    document.body.className = page.body.className;
    const filters = document.querySelector(".filters details");
    if (filters && filtersOpen) filters.open = true;
    nameKeys();
    if (edited && box()) {
      box().value = before.value; // the next question, begun while this one was being answered
      box().focus({ preventScroll: true });
      box().setSelectionRange(...selection);
    }
    return true;
  }

  function showOffline(url, requestId) {
    const notice = document.getElementById("offline").content.cloneNode(true);
    notice.querySelector("[data-again]").href = url;
    if (requestId) {
      notice.querySelector(".request-id").hidden = false;
      notice.querySelector("code").textContent = requestId;
    }
    document.getElementById("main").replaceChildren(notice);
  }

  function wait() {
    const main = document.getElementById("main");
    main.replaceChildren(document.getElementById("waiting").content.cloneNode(true));
    main.setAttribute("aria-busy", "true");
    status.textContent = status.dataset.loading;
    scrollTo({ top: 0, behavior: "instant" });
  }

  function announce() {
    const heading = document.querySelector("#summary, main h1");
    status.textContent = heading?.closest("[role=alert]") ? "" : (heading?.textContent.trim() ?? "");
  }

  // The reader goes on where they were: in the box, on the filter they chose, else at the top of what is new.
  function refocus({ from, visiting }) {
    if (document.activeElement !== document.body) return;
    const target = from === "q" || visiting ? fine() && box() : from && document.getElementById(from);
    (target || document.getElementById("main")).focus({ preventScroll: true });
  }

  // Shows the page at an address. `entry` is what becomes of the history: push, replace, or keep (it moved already).
  async function load(address, { entry = "push", from = "", attempt = 0 } = {}) {
    let url = new URL(address, location.href);
    pending.abort();
    clearTimeout(retryTimer);
    if (entry !== "keep") rememberScroll();
    const mine = ++asked;
    const request = (pending = new AbortController());
    const submitted = from === "q" ? box()?.value : null;
    const skeleton = attempt ? 0 : setTimeout(() => mine === asked && wait(), SKELETON_AFTER_MS);
    let html = "";
    let requestId = "";
    try {
      const response = await fetch(url, { signal: request.signal, headers: { Accept: "text/html" } });
      requestId = response.headers.get("X-Request-ID") ?? "";
      html = await response.text();
      if (response.redirected) url = new URL(response.url);
    } catch {
      html = ""; // the network, or a newer request
    } finally {
      clearTimeout(skeleton);
    }
    if (mine !== asked) return;
    if (entry === "push" && pageOf(url) !== shown) {
      key = newKey();
      history.pushState({ key }, "", url);
    } else if (entry !== "keep") {
      history.replaceState({ key }, "", url);
    }
    shown = pageOf(url);
    const whole = show(html, { submitted });
    if (whole) keep(html);
    else showOffline(url, requestId);
    document.getElementById("main").removeAttribute("aria-busy");
    if (entry === "keep") recallScroll();
    else if (!attempt) scrollTo({ top: 0, behavior: "instant" });
    announce();
    refocus({ from, visiting: document.body.classList.contains("visit") });
    retryLater(attempt);
  }

  // A service that is loading, or asked too much, says when to come back; each time we wait longer than the last.
  function retryLater(attempt) {
    const notice = document.querySelector("main [data-retry-s]");
    if (!notice || attempt >= MOST_RETRIES) return;
    const wait_s = Math.min(Number(notice.dataset.retryS) * 1.5 ** attempt, MOST_WAIT_S);
    const said = document.createElement("p");
    said.textContent = status.dataset.retrying.replace("{seconds}", String(Math.ceil(wait_s)));
    notice.append(said);
    const again = () => {
      if (document.hidden) document.addEventListener("visibilitychange", again, { once: true });
      else load(location.href, { entry: "replace", attempt: attempt + 1 });
    };
    // Not all at the same moment, if many were sent away together.
    retryTimer = setTimeout(again, wait_s * 1000 * (1 + Math.random() / 4));
  }

  function step(by) {
    const links = [...document.querySelectorAll(ENTERABLE)];
    const active = document.activeElement;
    let at = links.findIndex((link) => link.closest(".hit, li").contains(active));
    if (at < 0) {
      if (by < 0) return false;
      const inBox = active === box();
      at = links.findIndex((link) => inBox || link.getBoundingClientRect().top >= 0) - 1;
      if (at === -2) return false;
    }
    const next = at + by < 0 ? box() : links[at + by];
    next?.focus();
    return next !== undefined;
  }

  function onKey(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const inBox = event.target === box();
    const typing = event.target.matches("input, textarea, select");
    if (typing && !inBox) return;
    let done = false;
    if (event.key === "/" && !inBox && box()) {
      box().focus();
      box().select();
      done = true;
    } else if (event.key === "Escape" && box()) {
      box().value = "";
      box().focus();
      done = true;
    } else if (!event.shiftKey) {
      if (event.key === "ArrowDown" || (event.key === "j" && !inBox)) done = step(1);
      if (event.key === "ArrowUp" || (event.key === "k" && !inBox)) done = step(-1);
    }
    if (done) event.preventDefault();
  }

  function onClick(event) {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a[href]");
    // Links to the interface in the other language change more than the parts that are replaced.
    if (!link || link.origin !== location.origin || link.hash || link.hreflang) return;
    const again = link.hasAttribute("data-again");
    if (link.pathname !== "/" && !again) return;
    event.preventDefault();
    load(link.href, { entry: again ? "replace" : "push", from: link.id });
  }

  function onSubmit(event) {
    if (event.target.id !== "ask") return;
    event.preventDefault();
    const url = new URL("/", location.href);
    for (const [name, value] of new FormData(event.target)) if (value.trim()) url.searchParams.append(name, value);
    load(url, { from: "q" });
  }

  function onMove(event) {
    if (pageOf(location) === shown) {
      key = event.state?.key ?? key; // a jump within the page
      return;
    }
    rememberScroll();
    key = event.state?.key ?? newKey();
    const html = pages.get(key);
    if (html === undefined) {
      load(location.href, { entry: "keep" });
      return;
    }
    pending.abort();
    clearTimeout(retryTimer);
    asked += 1;
    shown = pageOf(location);
    show(html);
    recallScroll();
    announce();
    retryLater(0);
  }

  history.scrollRestoration = "manual";
  history.replaceState({ ...history.state, key }, "");
  keep(document.documentElement.outerHTML);
  nameKeys();
  recallScroll();
  addEventListener("pagehide", rememberScroll);
  addEventListener("popstate", onMove);
  addEventListener("online", () => document.querySelector("main .notice:not([data-retry-s]) [data-again]")?.click());
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);
  retryLater(0);
})();
