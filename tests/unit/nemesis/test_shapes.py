"""What is done to packets, as texts for tc and iptables."""

from __future__ import annotations

import pytest

from nemesis.shaping import (
    HANDLE,
    REMOVE_SHAPING,
    Shape,
    delay,
    duplicate,
    is_shaped,
    loss,
    packets_shaped,
    rate,
    reorder,
    shape_named,
    shape_script,
)

CLASSES = """\
class htb 4b43:1 root prio 0 rate 10Gbit ceil 10Gbit burst 0b cburst 0b
 Sent 900 bytes 9 pkt (dropped 0, overlimits 0 requeues 0)
class htb 4b43:2 root prio 0 rate 1Mbit ceil 1Mbit burst 1600b cburst 1600b
 Sent 700 bytes 7 pkt (dropped 0, overlimits 0 requeues 0)
"""


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (loss(20), "loss 20%"),
        (delay(50), "delay 50ms"),
        (delay(50, 10), "delay 50ms 10ms distribution normal"),
        (duplicate(5), "duplicate 5%"),
        (reorder(25), "delay 10ms reorder 25% 50%"),
        (rate(1000), "rate 1000kbit"),
    ],
    ids=str,
)
def test_netem_is_told_an_effect_in_its_own_words(shape: Shape, words: str) -> None:
    assert " ".join(shape.netem) == words


def test_only_what_goes_to_the_destinations_is_shaped() -> None:
    script = shape_script(delay(50), ["10.0.0.2", "10.0.0.3"], with_netem=True)
    filters = [line for line in script.splitlines() if "filter" in line]
    assert [line.split("dst ")[1] for line in filters] == ["10.0.0.2/32 flowid 4b43:2", "10.0.0.3/32 flowid 4b43:2"]


def test_a_rate_is_the_limit_of_a_class_where_there_is_no_netem() -> None:
    script = shape_script(rate(1000), ["10.0.0.2"], with_netem=False)
    assert "classid 4b43:2 htb rate 1000kbit" in script
    assert "netem" not in script


def test_a_discipline_of_somebody_else_is_not_replaced() -> None:
    assert "replace" not in shape_script(rate(1000), ["10.0.0.2"], with_netem=False)


def test_the_removal_names_our_discipline_only() -> None:
    assert [line for line in REMOVE_SHAPING.splitlines() if "del" in line] == [
        f"  tc qdisc del dev $device root handle {HANDLE}"
    ]


def test_our_discipline_is_seen_and_others_are_not() -> None:
    ours, theirs = "qdisc htb 4b43: dev eth0 root refcnt 2", "qdisc htb 1: dev eth0 root refcnt 2"
    assert (is_shaped(f"{theirs}\n{ours}\n"), is_shaped(theirs)) == (True, False)


def test_packets_of_our_class_are_counted() -> None:
    assert packets_shaped(CLASSES) == 7


@pytest.mark.parametrize(
    ("words", "shape"), [(("loss", "20"), loss(20)), (("delay", "50", "10"), delay(50, 10)), (("rate", "64"), rate(64))]
)
def test_a_shape_is_read_from_the_words_of_a_command(words: tuple[str, ...], shape: Shape) -> None:
    assert shape_named(words) == shape


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("loss",), r"loss: an effect is followed by its amount, a number \(known: loss:%, delay:ms"),
        (("loss", "much"), r"loss:much: an effect is followed by its amount, a number"),
        (("loss", "91"), r"the amount must be above 0 and at most 90"),
        (("corrupt", "1"), r"unknown effect 'corrupt:1' \(known: loss:%, delay:ms"),
        (("delay", "5", "6"), r"the jitter at most the amount"),
    ],
)
def test_other_words_are_refused(words: tuple[str, ...], refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        shape_named(words)


@pytest.mark.parametrize(
    ("shape", "text"), [(loss(20), "loss 20%"), (delay(50, 10), "delay 50 ms ± 10 ms"), (rate(64), "rate 64 kbit/s")]
)
def test_a_shape_reads_as_effect_and_amount(shape: Shape, text: str) -> None:
    assert str(shape) == text
