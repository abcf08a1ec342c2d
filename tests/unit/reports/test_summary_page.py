"""index.html: what people read first."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from harness.history.store import Item, Meta, Run
from reference_broker.command_line import as_typed
from reports import summary

Store = Callable[..., Item]
VOID = {"meta", "br", "input"}


class Structure(HTMLParser):
    """What a page holds: whether its elements close in order, its ids and its links."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids += [found] if (found := named.get("id")) else []
        self.links += [found] if (found := named.get("href") or named.get("src")) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")


def page(run: Run) -> str:
    summary.write(run.path)
    return (run.path / "index.html").read_text(encoding="utf-8")


def structure(run: Run) -> Structure:
    found = Structure()
    found.feed(page(run))
    return found


def section(html: str, anchor: str) -> str:
    """The markup of one folded check."""
    start = html.index(f'id="{anchor}"')
    return html[start : html.find('<details class="check"', start)]


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_every_element_is_closed_in_order(whole_run: Run) -> None:
    found = structure(whole_run)

    assert (found.wrong, found.open) == ([], [])


def test_the_page_needs_no_network(whole_run: Run) -> None:
    outside = [link for link in structure(whole_run).links if "://" in link or link.startswith("//")]

    assert not outside


def test_every_link_within_the_page_leads_somewhere(whole_run: Run) -> None:
    found = structure(whole_run)

    assert not {link[1:] for link in found.links if link.startswith("#")} - set(found.ids)


def test_every_link_to_a_file_leads_to_one_of_the_run(whole_run: Run) -> None:
    files = [link for link in structure(whole_run).links if not link.startswith("#")]

    assert files
    assert all((whole_run.path / unquote(link)).is_file() for link in files)


def test_no_id_occurs_twice(whole_run: Run) -> None:
    ids = structure(whole_run).ids

    assert len(ids) == len(set(ids))


def test_the_headline_names_the_gravest_outcome(whole_run: Run) -> None:
    assert "<h1>2 promises broken</h1>" in page(whole_run)


def test_a_run_in_which_all_held_says_so(run: Run, store: Store) -> None:
    store("durability/x")

    assert "<h1>The one check held</h1>" in page(run)


def test_what_was_only_observed_is_not_said_to_have_held(run: Run, store: Store) -> None:
    store("protocol/x")
    store("protocol/y", outcome="observed", observed_reason="there is no recording of release 4.0")

    html = page(run)
    assert "<h1>1 check held, 1 only observed</h1>" in html
    assert "Observed only: there is no recording of release 4.0" in html


BUG = {
    "id": "KAFKA-1",
    "sentence": "Old settings <stay>.",
    "releases": ["4.2", "4.3"],
    "link": "https://example.org/KAFKA-1",
}


def test_a_known_bug_is_told_as_one_and_is_not_said_to_have_held(run: Run, store: Store) -> None:
    store("metadata/x", "kafka@4.3.1")
    store("metadata/y", "kafka@4.3.1", "known bug", known_bug=BUG)

    html = page(run)
    assert "<h1>1 check held, 1 known bug</h1>" in html
    assert "Every other check that ran held." in html
    assert "KAFKA-1: Old settings &lt;stay&gt;." in html
    assert '<a href="https://example.org/KAFKA-1">KAFKA-1</a>' in html


def test_a_guarantee_shows_a_verdict_for_each_target_and_what_tried_it(whole_run: Run) -> None:
    html = page(whole_run)
    row = plain(html[html.index('id="area-durability"') : html.index('id="area-ordering"')])

    assert "✗ 1 broken ? 1 unknown ✓ 1 held" in row
    assert "✓ 3 held" in row
    assert "6 checks 6,215 operations 5 faults" in row


def test_a_guarantee_says_what_a_pass_does_not_prove(whole_run: Run) -> None:
    first_screen = page(whole_run).partition('id="differences"')[0]

    assert "What a pass does not prove" in first_screen
    assert "Loss of power of all nodes at once." in first_screen


def test_an_area_with_many_guarantees_gets_a_row_for_each_file(run: Run, store: Store) -> None:
    for number in range(40):
        store(f"protocol/fetch::case_{number}", sentence=f"Case {number} is answered.", title="Fetch answers.")

    first_screen = page(run).partition('id="differences"')[0]
    assert first_screen.count("<tr>") == 2
    assert "40 guarantees" in first_screen


def test_an_outcome_is_told_by_sign_and_word_and_not_by_colour_alone(whole_run: Run) -> None:
    badges = re.findall(r'<span class="badge \w+">([^<]*)</span>', page(whole_run))

    assert badges
    assert all(re.match(r"[✓✗?≠○–] .*\w", badge) for badge in badges)


def test_a_broken_claim_shows_its_witness_with_milliseconds_and_the_time_of_day(whole_run: Run) -> None:
    broken = section(page(whole_run), "durability-acknowledged_records_survive-kill--reference")

    assert re.search(r"[\d,]+ ms  \d\d:\d\d:\d\d\.\d{3}  producer 2   send +value 2\.301 → acknowledged", broken)


def test_a_broken_claim_shows_the_rule_that_forbids_it(whole_run: Run) -> None:
    broken = section(page(whole_run), "durability-acknowledged_records_survive-kill--reference")

    assert "lost-write is forbidden: acks=all: acknowledged means written" in broken


def test_a_broken_claim_shows_how_to_run_and_judge_it_again(whole_run: Run) -> None:
    broken = section(page(whole_run), "durability-acknowledged_records_survive-kill--reference")

    assert "pytest checks/durability/acknowledged_records_survive.py --target reference" in broken
    folder = f"reports/out/{whole_run.path.name}/durability-acknowledged_records_survive-kill--reference"
    assert as_typed("harness judge", str(folder)) in broken


def test_a_broken_claim_shows_three_pictures(whole_run: Run) -> None:
    broken = section(page(whole_run), "durability-acknowledged_records_survive-kill--reference")

    assert broken.count("<svg ") == 3


def test_a_broken_claim_shows_the_log_around_it(whole_run: Run) -> None:
    broken = section(page(whole_run), "durability-acknowledged_records_survive-kill--reference")

    assert "[Broker id=2] line 92 " in broken
    assert "[Broker id=2] line 300 " not in broken


def test_a_check_that_broke_without_a_history_shows_what_happened(whole_run: Run) -> None:
    attention = plain(page(whole_run).partition("<nav")[0])

    assert "metadata/topic_names on reference CreateTopics v7 answered 0 NONE for the name a/b" in attention


def test_a_check_that_held_under_load_shows_its_course(whole_run: Run) -> None:
    held = section(page(whole_run), "durability-acknowledged_records_survive-kill--kafka@4.3.1")

    assert "600 sends: 600 acknowledged, 0 refused" in held
    assert "longest time without success, producers" in held


def test_a_difference_shows_api_version_field_values_and_standing(whole_run: Run) -> None:
    html = page(whole_run)
    table = plain(html[html.index('id="differences"') : html.index('id="skipped"')])

    assert "OffsetFetch v8 groups[0].error_code 69 GROUP_ID_NOT_FOUND 0 NONE, topics = [] ≠ differs" in table
    assert "✓ accepted 2: quotas come later" in table


def test_skipped_checks_are_listed_by_reason(whole_run: Run) -> None:
    html = page(whole_run)
    table = plain(html[html.index('id="skipped"') : html.index('id="checks"')])

    assert (
        "needs Java 2 walkthrough/java_producer (kafka@4.3.1) walkthrough/java_producer (reference)"
        in table.replace("&#x27;", "'")
    )


def test_what_a_run_holds_cannot_become_markup(run: Run, store: Store) -> None:
    store("durability/x", "<b>target</b>", "broken", sentence="<script>alert(1)</script>", failure="</pre><img src=x>")

    html = page(run)
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "<b>" not in html


def test_a_damaged_history_is_told_and_the_rest_is_shown(whole_run: Run) -> None:
    name = "durability-acknowledged_records_survive-kill--reference"
    path = whole_run.path / name / "history.jsonl"
    path.write_bytes(path.read_bytes().replace(b"2.301", b"2.999"))

    broken = section(page(whole_run), name)
    assert "The history cannot be shown" in broken
    assert "is not in the final log" in broken


@pytest.mark.parametrize("more", [{"phases": "run"}, {"phases": [3]}, {"differences": ["x"]}, {"observations": "many"}])
def test_odd_stored_data_does_not_stop_the_page(run: Run, store: Store, more: dict[str, object]) -> None:
    store("durability/x", **more)

    assert "durability/x" in page(run)


def test_each_of_many_checks_is_read_once(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        store(f"protocol/api_{number % 40}::case_{number}", sentence=f"Case {number} is answered as Kafka does.")
    read: list[str] = []
    meta = Item.meta

    def counted(item: Item) -> Meta:
        read.append(item.path.name)
        return meta(item)

    monkeypatch.setattr(Item, "meta", counted)
    summary.write(run.path)
    assert len(read) == len(set(read)) == 50


def test_the_checks_of_a_long_area_are_folded_by_file_with_the_gravest_first(run: Run, store: Store) -> None:
    for number in range(50):
        store(f"protocol/fetch::case_{number}")
    store("protocol/produce::refused", outcome="broken", failure="What happened: nothing")

    checks = page(run).partition('id="checks"')[2]
    assert re.findall(r'<details class="file"><summary>.*?name">(.*?)<', checks) == [
        "protocol/produce",
        "protocol/fetch",
    ]


def test_a_run_that_was_cut_short_tells_the_time_of_its_checks(run: Run, store: Store) -> None:
    (run.path / "run.json").write_text('{"elapsed_s": 0.5}', encoding="utf-8")
    store("durability/x")
    store("durability/y")

    assert "24.5 s · 0 operations" in page(run)


def test_a_check_leads_to_where_its_promise_is_told(run: Run, store: Store) -> None:
    told = {"name": "KIP-98", "url": "https://example.org/KIP-98", "kind": "link"}
    store("durability/x", links=[told, {"name": "KAFKA-1", "url": "javascript:alert(1)", "kind": "issue"}])

    html = page(run)

    assert '<a href="https://example.org/KIP-98">KIP-98</a>, KAFKA-1' in html
    assert "javascript:" not in html


def test_a_guarantee_tells_the_longest_outage_under_its_faults(run: Run, store: Store) -> None:
    item = store("durability/x", history=None)
    meta = item.meta()
    meta.faults, meta.availability = (
        2,
        [{"role": "producers", "fault": "kill", "length_s": 2.86}, {"fault": "no fault", "length_s": 4}],
    )
    item.write_meta(meta)

    assert "longest outage 2.9 s" in plain(page(run))


def test_like_findings_stand_at_the_top_once_with_links_to_the_others(run: Run, store: Store) -> None:
    for number in range(5):
        failure = f"UNKNOWN\n  Nothing is proved: topic-{number}-x: node {number} did not answer"
        store(f"durability/survives[{number}]", "reference", "unknown", failure=failure)
    store("durability/elsewhere", "reference", "unknown", failure="UNKNOWN\n  Nothing is proved: no disk is full")

    top = page(run).partition("<nav")[0]

    assert top.count("did not answer") == 1
    assert "4 other checks alike" in top
    assert "No disk is full" in top
    assert all(f"durability/survives[{number}] on reference" in plain(top) for number in range(5))
