"""Answers the last of several requests on a connection first.

**Bug** A client that sends requests without waiting for answers gets them in another order than Kafka promises.

**Rejected by**
`checks/protocol/test_pipelining.py::test_answers_come_in_the_order_of_requests[five]`: answer 1 is that to request 5
`checks/protocol/test_pipelining.py::test_batches_in_flight_keep_their_order`: answer 1 is that to request 8
`checks/protocol/test_pipelining.py::test_an_answer_that_waits_holds_the_others_back`: answer 1 is that to request 3
"""

from __future__ import annotations

from reference_broker.connection import Connection


def plant() -> None:
    """Puts it in."""

    def last_first(connection: Connection) -> memoryview | None:
        if connection.frames and not connection.is_busy:
            return connection.frames.pop()
        return None

    Connection.next_frame = last_first
