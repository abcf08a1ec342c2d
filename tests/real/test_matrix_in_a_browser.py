"""The compatibility matrix in headless Chromium, opened from disk: sorted, filtered, followed, on a phone, in the dark.

Needs Debian's packages chromium and chromium-driver; skipped with the reason where they are missing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from harness.history.store import Run
from reports import summary
from tests.real import chromium
from tests.unit.reports import accounts

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESK = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
PATIENCE_S = 5
READABLE = 4.5
"""The least contrast of text, by the Web Content Accessibility Guidelines, level AA."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium of this module's own."""
    with chromium.opened(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A stored run with an account, and its pages."""
    about = {"seed": 7, "targets": list(accounts.TARGETS)}
    made = Run.create(root=tmp_path_factory.mktemp("browser") / "reports" / "out", about=about)
    accounts.keep(made)
    summary.write(made.path)
    return made


class Page:
    """The matrix as a reader meets it."""

    def __init__(self, driver: Any, path: Path) -> None:
        self.driver = driver
        self.path = path

    def open(self, place: str = "") -> None:
        """Loads it anew at a place."""
        self.driver.get("about:blank")
        self.driver.get(f"{(self.path / 'matrix.html').as_uri()}{place}")

    def all(self, selector: str) -> list[Any]:
        """The elements that are shown."""
        return [one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]

    def texts(self, selector: str) -> list[str]:
        """Their texts."""
        return [one.text for one in self.all(selector)]

    @property
    def text(self) -> str:
        """All that is shown, on one line."""
        return " ".join(self.driver.find_element(By.TAG_NAME, "body").text.split())

    def rows(self) -> list[str]:
        """API and version of each row of the matrix."""
        return list(self.driver.execute_script(ROWS))

    def shows_rows(self, wanted: list[str]) -> bool:
        """Whether the matrix comes to have these rows: a choice takes effect a moment after it is made."""
        return self._comes(lambda: self.rows() == wanted)

    def shows(self, words: str) -> bool:
        """Whether these words come to be shown."""
        return self._comes(lambda: words in self.text)

    def _comes(self, is_there: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while not is_there():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def follow(self, words: str) -> None:
        """Follows a link by its words."""
        self.driver.find_element(By.PARTIAL_LINK_TEXT, words).click()

    def choose(self, name: str, option: str) -> None:
        """Chooses an option of a list by its text."""
        field = self.driver.find_element(By.CSS_SELECTOR, f"select[name={name}]")
        next(one for one in field.find_elements(By.TAG_NAME, "option") if one.text == option).click()

    def hash(self) -> str:
        """The place that the address names."""
        return str(self.driver.execute_script("return location.hash"))


@pytest.fixture
def page(browser: Any, run: Run) -> Iterator[Page]:
    """The matrix on a desk, in the light; after the test the console must be empty."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESK)
    scheme(browser, "light")
    browser.get_log("browser")
    opened = Page(browser, run.path)
    opened.open()
    yield opened
    assert browser.get_log("browser") == []


def scheme(driver: Any, name: str) -> None:
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": name}]}
    )


ROWS = """
return [...document.querySelectorAll('table.versions tbody tr')].map((row) =>
  row.cells[0].textContent + ' ' + row.cells[1].textContent);
"""
ALL_ROWS = ["AddOffsetsToTxn v0", "ApiVersions v5", "Fetch v4", "OffsetFetch v8", "Produce v8", "Produce v9"]
BY_TIMES = ["AddOffsetsToTxn v0", "Fetch v4", "ApiVersions v5", "OffsetFetch v8", "Produce v8", "Produce v9"]
BY_TIMES_DOWN = ["Produce v9", "Produce v8", "ApiVersions v5", "OffsetFetch v8", "AddOffsetsToTxn v0", "Fetch v4"]


def test_a_row_stands_for_each_version_and_a_column_for_each_target(page: Page) -> None:
    assert page.shows_rows(ALL_ROWS)
    heads = [head.rstrip(" ▲▼↕") for head in page.texts("table.versions thead th")]
    assert heads == ["API", "Version", "reference", "kafka@4.3.1", "Differences"]


def test_a_cell_says_in_words_and_signs_what_was_compared(page: Page) -> None:
    produce = " ".join(page.all("table.versions tbody tr")[5].text.split())

    assert "✓ 41 exchanges error codes 1 of 3 · fields 2 of 3" in produce


def test_every_state_has_its_words(page: Page) -> None:
    for words in ("– not served", "○ not exercised", "≠ 1 difference", "≈ 1 accepted", "not served; asked 1 time"):
        assert words in page.text


def test_a_click_on_a_head_sorts_and_a_second_turns_the_order_round(page: Page) -> None:
    page.all("table.versions thead th a")[2].click()
    assert page.shows_rows(BY_TIMES)
    page.all("table.versions thead th a")[2].click()

    assert page.shows_rows(BY_TIMES_DOWN)
    assert [head.get_attribute("aria-sort") for head in page.all("table.versions thead th")][2] == "descending"
    assert page.hash() == "#?sort=reference&order=descending"


def test_text_filters_and_the_count_says_what_is_left(page: Page) -> None:
    page.driver.find_element(By.ID, "find").send_keys("produce v9")

    assert page.shows_rows(["Produce v9"])
    assert "Shown: 1 of 6 versions, 1 API;" in page.text


@pytest.mark.parametrize(
    ("state", "rows"),
    [
        ("differs, and no entry accepts it", ["OffsetFetch v8"]),
        ("served, not exercised", ["AddOffsetsToTxn v0", "Fetch v4"]),
        ("not served", ["AddOffsetsToTxn v0", "ApiVersions v5"]),
        ("error codes of the API not provoked", ["Produce v8", "Produce v9"]),
    ],
)
def test_a_state_filters(page: Page, state: str, rows: list[str]) -> None:
    page.choose("state", state)

    assert page.shows_rows(rows)


def test_a_target_filters_states_and_columns(page: Page) -> None:
    page.choose("target", "reference")
    page.choose("state", "not served")

    assert page.shows_rows(["AddOffsetsToTxn v0", "ApiVersions v5"])
    assert len(page.all("table.versions thead th")) == 4


def test_what_is_chosen_stands_in_the_address_and_can_be_linked(page: Page) -> None:
    page.driver.find_element(By.ID, "find").send_keys("off")
    page.choose("state", "differs")
    assert page.shows_rows(["OffsetFetch v8"])
    place = page.hash()
    page.open(place)

    assert page.shows_rows(["OffsetFetch v8"])
    assert page.driver.find_element(By.ID, "find").get_attribute("value") == "off"


def test_the_way_back_leads_to_the_filtered_matrix(page: Page) -> None:
    page.driver.find_element(By.ID, "find").send_keys("produce")
    page.all("table.versions a.cell")[0].click()
    assert page.shows("Produce v8 on reference")
    page.driver.back()

    assert page.shows_rows(["Produce v8", "Produce v9"])


def test_a_cell_leads_to_its_exchanges(page: Page) -> None:
    page.all("table.versions tbody tr")[5].find_elements(By.CSS_SELECTOR, "a.cell")[0].click()

    assert page.shows("Produce v9 on reference")
    assert page.hash() == "#Produce/v9/reference"
    assert page.driver.switch_to.active_element.text == "Produce v9 on reference"
    assert "2 of 41 exchanges kept" in page.text
    assert "9223372036854775807" in page.text
    assert 'topic_data[0].name "orders"' in page.text


def test_words_of_a_run_are_shown_and_never_run(page: Page) -> None:
    page.open("#Produce/v9/reference")

    assert accounts.HOSTILE in page.text
    assert page.driver.title.startswith("Produce v9 on reference")


def test_the_first_difference_shows_both_answers_the_rerun_and_that_nothing_accepts_it(page: Page) -> None:
    page.follow("OffsetFetch")
    assert page.shows("API key 9.")
    page.follow("First difference")
    assert page.shows("OffsetFetch: first difference")

    assert page.hash() == "#OffsetFetch/first-difference"
    assert "≠ differs OffsetFetch v8, field groups[0].error_code" in page.text
    assert "No entry of checks/known_differences.toml accepts it." in page.text
    assert accounts.RERUN in page.text
    marked = [" ".join(row.text.split()) for row in page.all("tr.differing")]
    assert marked == [
        "≠ differs: throttle_time_ms 0 1",
        "≠ differs: groups[0].error_code 69 GROUP_ID_NOT_FOUND 0 NONE",
    ]


def test_an_accepted_difference_names_its_entry(page: Page) -> None:
    page.open("#differences")

    assert "≈ accepted departure: quotas come later" in page.text


def test_where_no_difference_was_seen_the_page_says_in_how_many_exchanges(page: Page) -> None:
    page.open("#Produce/first-difference")

    assert "No difference was seen in 43 exchanges on reference and 43 exchanges on kafka@4.3.1." in page.text


def test_where_one_target_was_checked_nothing_was_compared(page: Page, tmp_path: Path) -> None:
    lone = Run.create(root=tmp_path / "reports" / "out", about={"seed": 7, "targets": ["reference"]})
    accounts.keep(lone, {**accounts.account(), "targets": ["reference"], "apis": [accounts.produce()]})
    summary.write(lone.path)
    page.path = lone.path
    page.open("#Produce/first-difference")

    assert "One target was checked (43 exchanges on reference), so nothing was compared." in page.text


def test_an_error_code_that_cannot_be_provoked_says_why(page: Page) -> None:
    page.follow("Error codes (3)")
    assert page.shows("What each API may refuse with")
    page.choose("state", "not provoked, for a reason")
    assert page.shows("Shown: 1 of 3 error codes")

    rows = page.texts("table.codes tbody tr")
    assert len(rows) == 1
    assert "19 NOT_ENOUGH_REPLICAS" in rows[0]
    assert "Cannot be provoked: needs a second broker" in rows[0]


def test_the_matrix_can_be_walked_with_the_keyboard(page: Page) -> None:
    page.driver.find_element(By.ID, "order").send_keys(Keys.TAB)

    assert page.driver.switch_to.active_element.text.startswith("API")
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.shows_rows([*ALL_ROWS[4:], *ALL_ROWS[3::-1]])
    assert page.driver.switch_to.active_element.text.startswith("API")
    style = "return getComputedStyle(document.activeElement).outlineStyle"
    assert page.driver.execute_script(style) == "solid"


def test_heads_of_columns_and_rows_say_what_they_head(page: Page) -> None:
    assert {head.get_attribute("scope") for head in page.all("thead th")} == {"col"}
    assert {head.get_attribute("scope") for head in page.all("tbody th")} == {"row"}


PLACES = ("", "#error-codes", "#differences", "#Produce", "#Produce/v9/reference", "#OffsetFetch/first-difference")


@pytest.mark.parametrize("place", PLACES)
def test_a_phone_shows_it_without_scrolling_sideways(page: Page, place: str) -> None:
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    page.open(place)

    widths = page.driver.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert widths == [390, 390]


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_every_text_stands_out_from_its_ground(page: Page, place: str, name: str) -> None:
    scheme(page.driver, name)
    page.open(place)

    grounds = page.driver.execute_script(COLOURS)
    assert (luminance(page.driver.execute_script(GROUND)) < 0.2) == (name == "dark")
    poor = [said for said, ink, ground in grounds if contrast(ink, ground) < READABLE]
    assert poor == []


def test_a_place_that_is_not_there_says_so(page: Page) -> None:
    page.open("#Nothing/v1")

    assert "Nothing stands here" in page.text


GROUND = "return getComputedStyle(document.body).backgroundColor"
COLOURS = """
return [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility() && !one.closest('.unseen') &&
  [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())).map((one) => {
  let under = one;
  while (/, 0\\)$|transparent/.test(getComputedStyle(under).backgroundColor)) under = under.parentElement;
  return [one.textContent.trim().slice(0, 40), getComputedStyle(one).color, getComputedStyle(under).backgroundColor];
});
"""
"""[text, its colour, the colour under it] of each element with text of its own."""


def luminance(colour: str) -> float:
    """How light a colour is, as the Web Content Accessibility Guidelines count it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Between two colours, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
