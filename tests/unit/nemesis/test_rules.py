"""The texts of packet rules, and what is read back of them."""

from __future__ import annotations

import shlex

import pytest

from nemesis.rules import (
    CLIENTS,
    Party,
    Rule,
    chain_name,
    chains_in,
    install_script,
    link_rules,
    packets_in,
    remove_script,
)

OWNER = "d7a1|pid:[4026531836]|1234|5678"
LISTING = f"""\
-P INPUT ACCEPT
-N DOCKER
-N KCHK-ab-1
-N KCHK-cd-2
-A INPUT -j KCHK-ab-1
-A KCHK-ab-1 -s 10.0.0.2/32 -j DROP
-A KCHK-ab-1 -m comment --comment "{OWNER}"
"""


def node(number: int, **ports: int) -> Party:
    return Party(name=f"node {number}", addresses=(f"10.0.0.{number}",), ports=ports)


BROKER = node(1, PLAINTEXT=9092, INTERNAL=9094)
COMBINED = node(2, PLAINTEXT=9092, INTERNAL=9094, CONTROLLER=9093)
ONE_CONTROLLER = node(3, CONTROLLER=9093)
PARTIES = {party.name: party for party in (BROKER, COMBINED, ONE_CONTROLLER)} | {
    CLIENTS: Party(name=CLIENTS, addresses=("10.0.0.254",))
}


def texts(link: tuple[str, str], listener: str | None = None) -> list[str]:
    return [f"{rule.at}: {shlex.join((*rule.match, *rule.action))}" for rule in link_rules(link, PARTIES, listener)]


def test_a_node_stops_hearing_another_on_all_ports() -> None:
    assert texts(("node 1", "node 2")) == ["node 1: -s 10.0.0.2 -j DROP"]


def test_one_listener_is_cut_for_requests_to_it_and_for_its_answers() -> None:
    assert texts(("node 1", "node 2"), "INTERNAL") == [
        "node 1: -s 10.0.0.2 -p tcp --dport 9094 -j DROP",
        "node 1: -s 10.0.0.2 -p tcp --sport 9094 -j DROP",
    ]


def test_a_broker_only_node_loses_the_answers_of_a_controllers_listener() -> None:
    assert texts(("node 1", "node 3"), "CONTROLLER") == ["node 1: -s 10.0.0.3 -p tcp --sport 9093 -j DROP"]


def test_a_node_stops_hearing_clients_on_their_listener_only() -> None:
    assert texts(("node 2", CLIENTS)) == ["node 2: -s 10.0.0.254 -p tcp --dport 9092 -j DROP"]


def test_clients_stop_hearing_a_node_where_its_answers_go_out() -> None:
    assert texts((CLIENTS, "node 2")) == ["node 2: -d 10.0.0.254 -p tcp --sport 9092 -j DROP"]


def test_a_node_that_clients_do_not_use_is_not_cut_off_from_them() -> None:
    assert texts(("node 3", CLIENTS)) == []


def test_another_action_can_be_taken() -> None:
    rules = link_rules(("node 1", "node 2"), PARTIES, action=("-m", "statistic", "-j", "DROP"))
    assert rules == (Rule("node 1", ("node 1", "node 2"), ("-s", "10.0.0.2"), ("-m", "statistic", "-j", "DROP")),)


def test_a_chain_has_a_name_that_iptables_takes() -> None:
    assert len(chain_name(OWNER, 999_999)) <= 28


def test_chains_of_two_runs_differ() -> None:
    assert chain_name(OWNER, 1) != chain_name(OWNER.replace("1234", "1235"), 1)


def test_the_rules_stand_in_the_chain_before_it_is_entered() -> None:
    script = install_script("KCHK-ab-1", OWNER, link_rules(("node 1", "node 2"), PARTIES))
    assert script.splitlines() == [
        "set -e",
        "iptables -w -N KCHK-ab-1",
        "iptables -w -A KCHK-ab-1 -s 10.0.0.2 -j DROP",
        f"iptables -w -A KCHK-ab-1 -m comment --comment '{OWNER}'",
        "iptables -w -I INPUT -j KCHK-ab-1",
        "iptables -w -I OUTPUT -j KCHK-ab-1",
    ]


def test_a_rule_for_an_ipv6_address_is_set_by_ip6tables() -> None:
    rule = Rule("node 1", ("node 1", "node 2"), ("-s", "fd00::2"))
    assert "ip6tables -w -A KCHK-ab-1 -s fd00::2 -j DROP" in install_script("KCHK-ab-1", OWNER, [rule])


def test_the_removal_names_no_other_chain_and_flushes_no_hook() -> None:
    script = remove_script("KCHK-ab-1")
    assert "-F INPUT" not in script
    assert all("KCHK-ab-1" in line for line in script.splitlines() if "-F" in line or "-X" in line or "-D" in line)


def test_our_chains_are_found_with_their_owners() -> None:
    assert chains_in(LISTING) == {"KCHK-ab-1": OWNER, "KCHK-cd-2": ""}


def test_packets_are_counted_in_the_order_of_the_rules() -> None:
    listing = "-N KCHK-ab-1\n-A KCHK-ab-1 -s 10.0.0.2/32 -c 7 420 -j DROP\n-A KCHK-ab-1 -m comment -c 9 540\n"
    assert packets_in(listing, "KCHK-ab-1", 1) == [7]


def test_a_rule_that_is_not_listed_is_noticed() -> None:
    with pytest.raises(ValueError, match="1 rules are counted, 2 were set"):
        packets_in("-A KCHK-ab-1 -c 7 420 -j DROP\n", "KCHK-ab-1", 2)
