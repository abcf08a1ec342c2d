"""The exchange, with a broker that is made up: what is observed when it answers, waits, closes or says nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from harness.clients.client import ClientTrouble
from harness.comparing.connections import Connections
from harness.comparing.exchange import Exchange, Missing
from harness.comparing.observation import Observation, Pace, RequestOutcome
from harness.comparing.promised import Promised
from harness.judging.judgements import judgements
from harness.judging.outcome import Differs
from reference_broker.wire.framing import decode_request, encode_response
from reference_broker.wire.messages.api_versions_response import ApiVersion, ApiVersionsResponse
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.messages.metadata_response import MetadataResponse, MetadataResponseTopic
from reference_broker.wire.messages.produce_request import ProduceRequest
from reference_broker.wire.primitives import TopicName

API_VERSIONS, METADATA = 18, 3
Answer = Callable[[], MetadataResponse | None]


class Broker:
    """Answers ApiVersions itself, Metadata as a test says (None closes), and nothing else."""

    def __init__(self) -> None:
        self.metadata: Answer = MetadataResponse
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.bootstrap = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(ConnectionResetError), connection, connection.makefile("rb") as stream:
            while size := stream.read(4):
                request = decode_request(stream.read(int.from_bytes(size, "big")))
                response: object = None
                if request.api_key == API_VERSIONS:
                    rows = tuple(ApiVersion(api_key=key, min_version=0, max_version=9) for key in (0, METADATA))
                    response = ApiVersionsResponse(api_keys=rows)
                elif request.api_key == METADATA:
                    response = self.metadata()
                    if response is None:
                        return
                else:
                    continue
                parts = encode_response(request.api_key, request.api_version, request.correlation_id, response)
                connection.sendall(b"".join(bytes(part) for part in parts))  # type: ignore[arg-type]

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = Broker()
    yield made
    made.close()


@pytest.fixture
def kept() -> list[Observation]:
    return []


def exchange_with(
    bootstrap: str, connections: Connections, kept: list[Observation], promised: Promised | None = None
) -> Exchange:
    def report(missing: Sequence[Missing]) -> None:
        raise Differs([f"{found.api} {dict(found.values)}" for found, gap in missing if gap is None])

    return Exchange(
        bootstrap=bootstrap,
        run="x1",
        connections=connections,
        keep=kept.append,
        promised=promised or Promised(target="at:nowhere"),
        report=report,
    )


@pytest.fixture
def exchange(broker: Broker, kept: list[Observation]) -> Iterator[Exchange]:
    connections = Connections()
    made = exchange_with(broker.bootstrap, connections, kept)
    yield made
    made.close()
    connections.close()


def test_an_answer_is_kept_with_its_question(exchange: Exchange, broker: Broker, kept: list[Observation]) -> None:
    name = exchange.name("orders")
    broker.metadata = lambda: MetadataResponse(topics=(MetadataResponseTopic(name=TopicName(name)),))
    exchange.ask(f"the topic {name}", MetadataRequest(), 9)

    (seen,) = kept
    assert (seen.api, seen.version, seen.request, seen.outcome) == (
        "Metadata",
        9,
        "the topic orders",
        RequestOutcome.ANSWERED,
    )
    assert isinstance(seen.answer, dict)
    assert seen.answer["topics"][0]["name"] == "orders"


def test_what_is_asked_quietly_is_not_kept(exchange: Exchange, kept: list[Observation]) -> None:
    exchange.quietly(MetadataRequest())

    assert kept == []


def test_an_answer_that_came_at_once_is_told_from_one_that_waited(
    exchange: Exchange, broker: Broker, kept: list[Observation]
) -> None:
    exchange.ask("at once", MetadataRequest(), 9, waits_ms=200)

    def slow() -> MetadataResponse:
        time.sleep(0.2)
        return MetadataResponse()

    broker.metadata = slow
    exchange.ask("late", MetadataRequest(), 9, waits_ms=200)

    assert [seen.pace for seen in kept] == [Pace.AT_ONCE, Pace.WAITED]


def test_an_answer_at_once_is_not_as_promised_where_it_should_wait(exchange: Exchange) -> None:
    with pytest.raises(AssertionError, match="pace of the answer: at once, expected: waited"):
        exchange.ask("late", MetadataRequest(), 9, waits_ms=200, pace=Pace.WAITED)


def test_an_answer_that_waited_is_as_promised_where_it_should_wait(exchange: Exchange, broker: Broker) -> None:
    def slow() -> MetadataResponse:
        time.sleep(0.2)
        return MetadataResponse()

    broker.metadata = slow

    assert exchange.ask("late", MetadataRequest(), 9, waits_ms=200, pace=Pace.WAITED).topics == ()


def test_a_connection_that_is_closed_is_observed_and_not_as_promised(
    exchange: Exchange, broker: Broker, kept: list[Observation]
) -> None:
    broker.metadata = lambda: None
    with pytest.raises(AssertionError, match="connection closed"):
        exchange.ask("all", MetadataRequest(), 9)

    assert [seen.outcome for seen in kept] == [RequestOutcome.CLOSED]


def test_after_a_connection_was_closed_a_new_one_is_used(exchange: Exchange, broker: Broker) -> None:
    broker.metadata = lambda: None
    with pytest.raises(AssertionError):
        exchange.ask("all", MetadataRequest(), 9)
    broker.metadata = MetadataResponse

    assert exchange.quietly(MetadataRequest()).topics == ()


def test_a_close_may_be_expected(exchange: Exchange, broker: Broker, kept: list[Observation]) -> None:
    broker.metadata = lambda: None
    exchange.expect_closed("all", MetadataRequest(), 9)

    assert [seen.outcome for seen in kept] == [RequestOutcome.CLOSED]


def test_an_answer_where_a_close_is_expected_is_not_as_promised(exchange: Exchange) -> None:
    with pytest.raises(AssertionError, match="answered, expected: connection closed"):
        exchange.expect_closed("all", MetadataRequest(), 9)


def test_silence_may_be_expected(exchange: Exchange, kept: list[Observation]) -> None:
    exchange.expect_silence("no acks", ProduceRequest(acks=0), 9)

    assert [seen.outcome for seen in kept] == [RequestOutcome.SILENT]


def test_an_answer_where_silence_is_expected_is_not_as_promised(exchange: Exchange) -> None:
    with pytest.raises(AssertionError, match="answered, expected: no answer"):
        exchange.expect_silence("all", MetadataRequest(), 9)


def test_a_pending_request_is_observed_when_its_answer_is_taken(exchange: Exchange, kept: list[Observation]) -> None:
    pending = exchange.start("all", MetadataRequest(), 9)
    assert pending.is_answered(5.0)
    assert kept == []
    pending.answer()

    assert [seen.outcome for seen in kept] == [RequestOutcome.ANSWERED]


def test_a_broker_that_is_away_is_trouble_and_no_broken_promise(broker: Broker, kept: list[Observation]) -> None:
    away = exchange_with("127.0.0.1:1", Connections(), kept)

    with pytest.raises(ClientTrouble):
        away.quietly(MetadataRequest())


def test_an_answer_alone_is_no_judgement(exchange: Exchange) -> None:
    before = judgements()
    exchange.ask("all", MetadataRequest(), 9)

    assert judgements() == before


def test_an_expectation_that_is_met_is_a_judgement(exchange: Exchange) -> None:
    before = judgements()
    exchange.expect_silence("no acks", ProduceRequest(acks=0), 9)

    assert judgements() == before + 1


def test_a_version_that_an_unknown_release_does_not_list_skips(exchange: Exchange) -> None:
    with pytest.raises(pytest.skip.Exception, match="at:nowhere does not list Metadata v12 "):
        exchange.ask("all", MetadataRequest(), 12)


def test_a_version_that_the_release_has_and_the_broker_does_not_list_differs(
    broker: Broker, kept: list[Observation]
) -> None:
    promised = Promised(target="reference", release="4.3.1", listed={METADATA: (0, 13)})
    exchange = exchange_with(broker.bootstrap, Connections(), kept, promised)

    with pytest.raises(Differs, match=r"'release 4\.3\.1': '0 to 13', 'reference': '0 to 9'"):
        exchange.ask("all", MetadataRequest(), 12)
