"""Numbers about the service for Prometheus. The faces count, `ops` shows; one registry for each service.

Labels hold only names that we chose: command types, outcomes, sources, operations. Never an id, never a caller's text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600, 1800)

disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """What is counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.commands = Counter(
            "idc_commands", "Commands run, by outcome", ["command", "source", "outcome"], registry=self.registry
        )
        self.seconds = Histogram(
            "idc_command_seconds", "Time from the request to the end", ["command"], buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.frames = Counter("idc_frames", "Output and state frames made", ["command"], registry=self.registry)
        self.running = Gauge("idc_commands_running", "Commands running now", registry=self.registry)
        self.refused = Counter(
            "idc_requests_refused", "Requests refused at the door, by why", ["reason"], registry=self.registry
        )

    def show_aws_calls(self, calls: Callable[[], Mapping[tuple[str, str], int]]) -> None:
        """Have AWS calls, counted elsewhere, shown among the rest."""
        self.registry.register(_AwsCalls(calls))


class _AwsCalls(Collector):
    def __init__(self, calls: Callable[[], Mapping[tuple[str, str], int]]) -> None:
        self._calls = calls

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily("idc_aws_calls", "Calls to AWS, retries included", labels=["source", "operation"])
        for (source, operation), count in sorted(self._calls().items()):
            family.add_metric([source, operation], count)
        yield family
