"""Every page: accessible in light and dark, small, fast to paint, in four languages."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from edge.bench.page_cost import page_cost

PAGES = {
    "booth sign-in": ("booth", None, "/sign-in"),
    "officer": ("booth", "officer-1", "/"),
    "supervisor": ("booth", "supervisor-1", "/supervisor"),
    "traveller": ("booth", None, "/traveller"),
    "hub sign-in": ("hub", None, "/sign-in"),
    "cases": ("hub", "operator-1", "/"),
    "posts": ("hub", "operator-1", "/posts"),
    "watchlist": ("hub", "supervisor-1", "/watchlist"),
    "accounts": ("hub", "administrator-1", "/accounts"),
    "audit": ("hub", "auditor-1", "/audit"),
}
LANGUAGES = ("en", "fr", "es", "ar")
TOUCH_SCREEN = {"width": 1280, "height": 800}
SMALL_SCREEN = {"width": 800, "height": 480}
# Of people, of posts and, whole, of devices.
NAMES = re.compile(r"\b(booth|officer|supervisor)-\d+\b|^(scanner|camera)$")
MOST_BYTES = 300_000
MOST_REQUESTS = 30
GRAVE = {"serious", "critical"}
# Names, codes and the languages' own names stay as they are in every language.
WORDS = """
() => {
  const seen = e => e.checkVisibility({checkVisibilityCSS: true});
  const own = e => e.closest('[lang]:not(html), .isolate, kbd, [data-untranslated]');
  const texts = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (e.closest('script, style') || own(e) || !seen(e)) continue;
    texts.add(walk.currentNode.textContent.trim());
  }
  const named = '[aria-label], [title], [placeholder], [alt]';
  for (const e of document.querySelectorAll(named)) {
    if (own(e)) continue;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
      if (e.hasAttribute(name)) texts.add(e.getAttribute(name).trim());
  }
  texts.add(document.title);
  return [...texts].filter(Boolean);
}
"""
# What is wider than its frame, or lies outside of the window; a frame that scrolls is
# meant to.
CUT_OFF = """
() => {
  const cut = [];
  if (document.documentElement.scrollWidth > innerWidth) cut.push('the page');
  const texts = 'button, a, h1, h2, h3, p, label, b, dd, dt';
  for (const e of document.querySelectorAll(texts)) {
    if (!e.checkVisibility({checkVisibilityCSS: true})) continue;
    if (e.closest('.unseen, .skip-link, .cut')) continue;
    const box = e.getBoundingClientRect();
    const style = getComputedStyle(e);
    const hides = style.overflowX !== 'visible';
    if (hides && e.scrollWidth > e.clientWidth + 1) cut.push(e.outerHTML.slice(0, 120));
    if (box.width && (box.left < -1 || box.right > innerWidth + 1))
      cut.push(e.outerHTML.slice(0, 120));
  }
  return cut;
}
"""


def serious(page):
    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node.get('failureSummary', '')}"
        for v in found
        if v["impact"] in GRAVE
        for node in v["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_in_light_and_dark(screens, name):
    place, who, path = PAGES[name]
    page = screens.open(place, who, path)
    page.locator("main").first.wait_for()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert serious(page) == [], scheme


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_small_and_comes_from_here_alone(screens, checkpoint, name):
    place, who, path = PAGES[name]
    cost = page_cost(screens.profile(place, who), checkpoint.url(place) + path)
    assert cost.elsewhere == ()
    assert 0 < cost.transfer_bytes < MOST_BYTES
    assert cost.requests <= MOST_REQUESTS
    assert cost.first_paint_ms > 0


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off(screens, name):
    place, who, path = PAGES[name]
    # The booth's screen may be a small one; the hub's operators have a desk.
    sizes = [TOUCH_SCREEN, SMALL_SCREEN] if place == "booth" else [TOUCH_SCREEN]
    page = screens.open(place, who, path)
    page.locator("main").first.wait_for()
    for size in sizes:
        page.set_viewport_size(size)
        assert page.evaluate(CUT_OFF) == [], size


def test_on_a_small_screen_the_button_is_reached_without_scrolling(screens):
    screen = screens.officer(size=SMALL_SCREEN)
    box = screen.find("start").bounding_box()
    assert box["y"] + box["height"] <= SMALL_SCREEN["height"]
    assert box["x"] + box["width"] <= SMALL_SCREEN["width"]
    assert min(box["height"], box["width"]) >= 44, "too small for a finger"


def speak(page, path, language):
    """Choose a language as its button does, and go to the page."""
    token = page.locator("input[name=csrf]").first.get_attribute("value")
    answer = page.context.request.post(
        "/language",
        form={"language": language, "csrf": token or "", "target": path},
        max_redirects=0,
    )
    assert answer.status == 303
    page.goto(path)
    page.locator("main").first.wait_for()


@pytest.mark.parametrize("name", ["booth sign-in", "officer", "supervisor"])
def test_the_page_speaks_four_languages_wholly(screens, name):
    place, who, path = PAGES[name]
    page = screens.open(place, who, path)
    words = {}
    for language in (*LANGUAGES, "en"):
        speak(page, path, language)
        assert page.locator("html").get_attribute("lang") == language
        direction = "rtl" if language == "ar" else "ltr"
        assert page.locator("html").get_attribute("dir") == direction
        texts = page.evaluate(WORDS)
        words[language] = {NAMES.sub("", text).strip() for text in texts}
    sentences = {w for w in words["en"] if len(re.findall(r"[A-Za-z]{3,}", w)) >= 2}
    assert sentences
    for language in ("fr", "es", "ar"):
        assert words[language] & sentences == set(), f"English in {language}"
    arabic = [w for w in words["ar"] if re.search(r"[A-Za-z]{3,}", w)]
    assert [w for w in arabic if not re.search(r"[\u0600-\u06ff]", w)] == []
