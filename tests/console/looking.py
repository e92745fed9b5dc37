"""What a page is looked at for in a browser: structure, names, contrast, overflow. Each gives what is wrong, so [] is right."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

STRUCTURE = r"""() => {
  const wrong = [];
  const all = (s) => [...document.querySelectorAll(s)];
  const labels = (e) => e.labels && [...e.labels].map(l => l.textContent).join(' ');
  const name = (e) => (e.getAttribute('aria-label') || labels(e) || e.textContent || '').trim();
  if (document.documentElement.lang !== 'en') wrong.push('no language');
  if (all('h1').length !== 1) wrong.push(`${all('h1').length} h1`);
  for (const [s, n] of [['header', 1], ['main', 1], ['nav', 1]]) if (all(s).length < n) wrong.push(`no ${s}`);
  let level = 0;
  for (const h of all('h1,h2,h3,h4')) {
    const now = Number(h.tagName[1]);
    if (now > level + 1) wrong.push(`heading ${h.textContent} skips from ${level} to ${now}`);
    level = now;
  }
  for (const e of all('a,button,input,summary')) if (!name(e)) wrong.push(`no name: ${e.outerHTML.slice(0, 80)}`);
  for (const e of all('nav:not([aria-label], [aria-labelledby])')) wrong.push(`nav without a name: ${e.className}`);
  for (const t of all('table')) {
    if (!t.caption || !t.caption.textContent.trim()) wrong.push('table without caption');
    for (const th of t.querySelectorAll('th')) if (!th.scope) wrong.push(`th without scope: ${th.textContent}`);
  }
  for (const e of all('[aria-labelledby],[aria-describedby]')) for (const a of ['aria-labelledby', 'aria-describedby'])
    if (e.hasAttribute(a) && !document.getElementById(e.getAttribute(a))) wrong.push(`${a} points nowhere`);
  const ids = all('[id]').map(e => e.id);
  if (new Set(ids).size !== ids.length) wrong.push('an id is there twice');
  const moment = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
  for (const t of all('time')) if (!moment.test(t.getAttribute('datetime') || '')) wrong.push(`time: ${t.outerHTML}`);
  for (const e of all('script,iframe,object,[style],[onclick]')) wrong.push(`not permitted: ${e.outerHTML.slice(0, 80)}`);
  return wrong;
}"""

CONTRAST = r"""() => {
  const wrong = [], seen = new Set();
  const rgb = (c) => (c.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
    return .2126 * f(r) + .7152 * f(g) + .0722 * f(b); };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > .99) return c; } return [255, 255, 255]; };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !e.checkVisibility() || e.closest('.unseen,.skip')) continue;
    const s = getComputedStyle(e), a = light(rgb(s.color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const large = parseFloat(s.fontSize) >= 24 || (parseFloat(s.fontSize) >= 18.66 && Number(s.fontWeight) >= 700);
    const key = `${s.color} on ${behind(e)}`;
    if (ratio >= (large ? 3 : 4.5) || seen.has(key)) continue;
    seen.add(key);
    wrong.push(`${key}: ${ratio.toFixed(2)} "${e.textContent.trim().slice(0, 30)}"`);
  }
  return wrong;
}"""

OVERFLOW = r"""() => {
  const wide = document.documentElement.clientWidth, wrong = [];
  if (document.documentElement.scrollWidth > wide) wrong.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('.scroll, pre, .unseen, .skip, svg')) continue;
    const r = e.getBoundingClientRect();
    if (r.width && r.right > wide + 1) wrong.push(`${e.tagName}.${e.className} ends at ${Math.round(r.right)}`);
  }
  return wrong.slice(0, 5);
}"""


class Watched:
    """What a page did while it was looked at: requests to elsewhere, errors, violations of the content policy."""

    def __init__(self, page: Page, origin: str) -> None:
        """Begin to watch."""
        self.wrong: list[str] = []
        page.on("request", lambda r: None if r.url.startswith(origin) else self.wrong.append(f"asked {r.url}"))
        page.on("console", lambda m: self.wrong.append(f"console: {m.text}"))
        page.on("pageerror", lambda e: self.wrong.append(f"error: {e}"))
        page.on("response", lambda r: None if r.status < 400 else self.wrong.append(f"{r.status} {r.url}"))


def look(page: Page, script: str) -> list[Any]:
    """Run one of the scripts above in the page."""
    found: list[Any] = page.evaluate(script)
    return found
