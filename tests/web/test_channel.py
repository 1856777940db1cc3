"""The line between a command and its client: bounded, in order, nothing lost."""

from __future__ import annotations

import threading
import time

import pytest

from connector.web.channel import JOINED, Channel


def test_frames_come_out_joined_and_in_order_and_then_the_end() -> None:
    channel = Channel()
    for frame in (b"a", b"b", b"c"):
        assert channel.put(frame)
    channel.end()
    assert [channel.take(0), channel.take(0), channel.take(0)] == [b"abc", None, None]


def test_silence_is_told_from_the_end() -> None:
    assert Channel().take(0.01) == b""


def test_an_error_comes_after_the_frames_before_it() -> None:
    channel = Channel()
    channel.put(b"a")
    channel.end(ValueError("late"))
    assert channel.take(0) == b"a"
    with pytest.raises(ValueError, match="late"):
        channel.take(0)


def test_a_chunk_has_an_end() -> None:
    channel = Channel()
    for _ in range(3):
        channel.put(b"x" * (JOINED // 2))
    assert len(channel.take(0) or b"") == JOINED


def test_a_slow_reader_makes_the_writer_wait() -> None:
    channel, written = Channel(capacity=100), []

    def write() -> None:
        for number in range(50):
            channel.put(bytes(10))
            written.append(number)
        channel.end()

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.1)
    assert len(written) == 10
    read = 0
    while (chunk := channel.take(1)) is not None:
        read += len(chunk)
    writer.join()
    assert read == 500


def test_a_writer_that_waits_hears_that_the_reader_left() -> None:
    channel, answers = Channel(capacity=1), []
    writer = threading.Thread(target=lambda: answers.extend([channel.put(b"a"), channel.put(b"b")]))
    writer.start()
    time.sleep(0.05)
    channel.abandon()
    writer.join(1)
    assert answers == [True, False]
