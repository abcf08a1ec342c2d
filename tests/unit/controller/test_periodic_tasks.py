"""The active controller acts in time: sessions that are over, leaders that may move back, leaders out of sync."""

from __future__ import annotations

from cluster_in_memory import CONFIG, SESSION_MS, Cluster, at, partition

from reference_broker.controller.periodic_tasks import PeriodicTasks
from reference_broker.settings.broker_config import BrokerConfig

MINUTES_5 = 300_000


def begun(cluster: Cluster, config: BrokerConfig = CONFIG) -> PeriodicTasks:
    return PeriodicTasks(lambda: config, cluster.image, at(0))


def pass_time(cluster: Cluster, tasks: PeriodicTasks, now_ms: int) -> None:
    for decide in tasks.due(at(now_ms)):
        cluster.apply(decide(cluster.image))


def test_all_silent_brokers_are_fenced_each_by_a_decision_of_its_own() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2))
    pass_time(cluster, begun(cluster), SESSION_MS + 1)
    assert (cluster.image.cluster.alive(), cluster.partition().leader) == ([], -1)


def test_nothing_is_due_while_the_sessions_live() -> None:
    cluster = Cluster.of(1)
    tasks = begun(cluster)
    assert (list(tasks.due(at(SESSION_MS))), tasks.next_deadline_ms()) == ([], SESSION_MS + 1)


def test_preferred_leaders_lead_again_every_five_minutes() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2, leader=2))
    tasks = begun(cluster)
    tasks.sessions.remove(1)
    tasks.sessions.remove(2)
    pass_time(cluster, tasks, MINUTES_5 - 1)
    before = cluster.partition().leader
    pass_time(cluster, tasks, MINUTES_5)
    assert (before, cluster.partition().leader, tasks.next_deadline_ms()) == (2, 1, 2 * MINUTES_5)


def test_leaders_stay_where_no_balance_is_wanted() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2, leader=2))
    tasks = begun(cluster, CONFIG.with_dynamic({"auto.leader.rebalance.enable": "false"}))
    tasks.sessions.remove(1)
    tasks.sessions.remove(2)
    pass_time(cluster, tasks, MINUTES_5)
    assert cluster.partition().leader == 2


def test_a_topic_that_allows_it_gets_a_leader_out_of_sync_in_time() -> None:
    cluster = Cluster.of(2)
    cluster.add_topic(partition(9, 2, isr=(9,), leader=-1), unclean_leader_election_enable="true")
    tasks = begun(cluster)
    tasks.sessions.remove(2)
    pass_time(cluster, tasks, MINUTES_5)
    assert cluster.partition().leader == 2
