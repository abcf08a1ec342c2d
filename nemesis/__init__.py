"""Faults for clusters: what checks import. `drive(queue, kill(leader))`; see README.md for all of them."""

from __future__ import annotations

from nemesis.broken_disk import BrokenDisk as broken_disk
from nemesis.broken_disk import Trouble
from nemesis.clock import Clock as clock
from nemesis.clock import Motion
from nemesis.damage import Damage as damage
from nemesis.damage import Damaged, How
from nemesis.disk import FullDisk as disk
from nemesis.disk import LostFolder as lost_folder
from nemesis.grudges import (
    bridge,
    deaf,
    halves,
    isolate,
    isolate_controller,
    isolate_coordinator,
    isolate_followers,
    isolate_leader,
    isolate_minority,
    isolate_one,
    majorities_ring,
    mute,
    one_way,
    one_way_leader,
    one_way_one,
)
from nemesis.kill import Kill as kill
from nemesis.leadership import Change
from nemesis.leadership import Leadership as leadership
from nemesis.membership import Membership as membership
from nemesis.node_specs import (
    controller,
    coordinator,
    coordinator_of,
    every,
    exactly,
    followers,
    followers_of,
    leader,
    leader_of,
    majority,
    minority,
    one,
    one_broker,
    one_voter,
)
from nemesis.packet import Packet as packet
from nemesis.partition import Between
from nemesis.partition import Partition as partition
from nemesis.pause import Pause as pause
from nemesis.power import Power as power
from nemesis.restart import Restart as restart
from nemesis.roll import Order
from nemesis.roll import Roll as roll
from nemesis.shaping import delay, duplicate, loss, rate, reorder
from nemesis.slow_disk import SlowDisk as slow_disk
from nemesis.voters import Voters as voters

__all__ = [
    "Between",
    "Change",
    "Damaged",
    "How",
    "Motion",
    "Order",
    "Trouble",
    "bridge",
    "broken_disk",
    "clock",
    "controller",
    "coordinator",
    "coordinator_of",
    "damage",
    "deaf",
    "delay",
    "disk",
    "duplicate",
    "every",
    "exactly",
    "followers",
    "followers_of",
    "halves",
    "isolate",
    "isolate_controller",
    "isolate_coordinator",
    "isolate_followers",
    "isolate_leader",
    "isolate_minority",
    "isolate_one",
    "kill",
    "leader",
    "leader_of",
    "leadership",
    "loss",
    "lost_folder",
    "majorities_ring",
    "majority",
    "membership",
    "minority",
    "mute",
    "one",
    "one_broker",
    "one_voter",
    "one_way",
    "one_way_leader",
    "one_way_one",
    "packet",
    "partition",
    "pause",
    "power",
    "rate",
    "reorder",
    "restart",
    "roll",
    "slow_disk",
    "voters",
]
