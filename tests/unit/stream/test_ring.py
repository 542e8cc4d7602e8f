"""The ring between the processes of one machine: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from farm.errors import SetupError, StreamError
from farm.stream.ring import (
    Reader,
    StreamEnded,
    Ticket,
    Writer,
    end_ring,
    make_ring,
    ring_state,
)
from farm.stream.ring_table import CONTROL, DATA, SEATS
from farm.stream.sample import Sample
from tests.support.full_disks import fill, small_disk
from tests.support.ring_processes import LONG_S, heard, sample, started
from tests.support.waiting import wait_for

AT_ONCE = 0.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "ring"
    place.mkdir()
    make_ring(place, slots=4, slot_bytes=4096)
    return place


@contextmanager
def running(what: str, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    process = started(what, *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def numbers(reader: Reader, most: int = 9) -> list[int]:
    return [lease.sample().fields["number"] for lease in reader.take(most, timeout_s=AT_ONCE)]


def test_samples_come_out_as_they_were_put_in(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        for number in range(3):
            assert writer.put(sample(f"s-{number}"), timeout_s=AT_ONCE)
        leases = reader.take(2, timeout_s=AT_ONCE)

        assert [lease.sample().id for lease in leases] == ["s-0", "s-1"]
        assert (leases[1].sample().fields["image"] == 1).all()
        assert numbers(reader) == [2]
        assert reader.take(timeout_s=AT_ONCE) == []


def test_what_was_taken_cannot_be_written_to(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        writer.put(sample("s-1"), timeout_s=AT_ONCE)
        (lease,) = reader.take(timeout_s=AT_ONCE)

        with pytest.raises(ValueError, match="read-only"):
            lease.sample().fields["image"][:] = 0


def test_a_full_ring_takes_more_when_one_is_acknowledged(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        for number in range(4):
            writer.put(sample(f"s-{number}"), timeout_s=AT_ONCE)
        with pytest.raises(TimeoutError, match="no sample was taken for 0 s"):
            writer.put(sample("s-4"), timeout_s=AT_ONCE)

        (lease,) = reader.take(timeout_s=AT_ONCE)
        with pytest.raises(TimeoutError):
            writer.put(sample("s-4"), timeout_s=AT_ONCE)
        assert lease.acknowledge()
        assert writer.put(sample("s-4"), timeout_s=AT_ONCE)


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_sample_is_there_once(folder, acknowledged):
    """A task that is rendered again puts what it has put before: nobody sees it twice."""
    with Writer(folder) as writer, Writer(folder) as other, Reader(folder) as reader:
        assert writer.put(sample("s-1"), timeout_s=AT_ONCE)
        if acknowledged:
            assert reader.take(timeout_s=AT_ONCE)[0].acknowledge()

        assert not other.put(sample("s-1"), timeout_s=AT_ONCE)
        assert len(numbers(reader)) == (0 if acknowledged else 1)
        assert ring_state(folder).doubled == 1


def test_two_who_write_the_same_sample_at_once_put_it_once(folder):
    with Writer(folder) as one, Writer(folder) as two, Reader(folder) as reader:
        slot = one._reserve(b"x" * 16)
        assert slot is not None
        two.put(sample("s-1"), timeout_s=AT_ONCE)
        (row,) = (row for row in two.control.rows() if row["size"])

        assert not one._commit(slot, 64, 4096, row["id"].tobytes())
        assert numbers(reader) == [1]


def test_only_the_last_acknowledged_are_remembered(folder):
    """As many as the ring was made to remember; older ones do not cost memory for ever."""
    with Writer(folder) as writer, Reader(folder) as reader:
        most = writer.shape.remembered
        for number in range(most + 2):
            writer.put(Sample(f"s-{number}", {}), timeout_s=AT_ONCE)
            reader.take(timeout_s=AT_ONCE)[0].acknowledge()

        assert not writer.put(Sample("s-2", {}), timeout_s=AT_ONCE)
        assert writer.put(Sample("s-1", {}), timeout_s=AT_ONCE)
        assert len(writer.control.ids) <= most


def test_who_waits_for_a_sample_is_woken(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        found: list[int] = []
        thread = threading.Thread(
            target=lambda: found.extend(
                lease.sample().fields["number"] for lease in reader.take(timeout_s=LONG_S)
            )
        )
        thread.start()
        writer.put(sample("s-7"), timeout_s=AT_ONCE)
        thread.join(LONG_S)

        assert found == [7]


def test_all_who_wait_are_woken_one_by_one(folder):
    """A bell that one has heard is rung again for the next, as long as samples are there."""
    with Writer(folder) as writer:
        readers = [Reader(folder) for _ in range(3)]
        found: list[str] = []

        def take(reader: Reader) -> None:
            found.extend(lease.sample().id for lease in reader.take(timeout_s=LONG_S))

        threads = [threading.Thread(target=take, args=(reader,)) for reader in readers]
        for thread in threads:
            thread.start()
        for number in range(3):
            writer.put(sample(f"s-{number}"), timeout_s=AT_ONCE)
        for thread in threads:
            thread.join(LONG_S)

        assert sorted(found) == ["s-0", "s-1", "s-2"]
        for reader in readers:
            reader.close()


def test_who_waits_for_room_is_woken(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        for number in range(4):
            writer.put(sample(f"s-{number}"), timeout_s=AT_ONCE)
        thread = threading.Thread(
            target=writer.put, args=(sample("s-4"),), kwargs={"timeout_s": LONG_S}
        )
        thread.start()
        reader.take(timeout_s=AT_ONCE)[0].acknowledge()
        thread.join(LONG_S)

        assert numbers(reader) == [1, 2, 3, 4]


def test_a_reader_that_is_closed_gives_back_what_it_did_not_acknowledge(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        for number in range(3):
            writer.put(sample(f"s-{number}"), timeout_s=AT_ONCE)
        with Reader(folder) as other:
            taken = other.take(2, timeout_s=AT_ONCE)
            taken[0].acknowledge()

        assert numbers(reader) == [1, 2]


def test_a_reader_that_nobody_needs_any_more_is_as_good_as_closed(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        writer.put(sample("s-1"), timeout_s=AT_ONCE)
        Reader(folder).take(timeout_s=AT_ONCE)

        assert [each.sample().id for each in reader.take(timeout_s=LONG_S)] == ["s-1"]


def test_what_is_handed_back_goes_to_others_first(folder):
    with Writer(folder) as writer, Reader(folder) as reader, Reader(folder) as other:
        for number in range(3):
            writer.put(sample(f"s-{number}"), timeout_s=AT_ONCE)
        reader.hand_back([lease.ticket for lease in reader.take(1, timeout_s=AT_ONCE)])

        assert numbers(other) == [0, 1, 2]


def test_an_old_ticket_acknowledges_nothing(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        writer.put(sample("s-0"), timeout_s=AT_ONCE)
        (old,) = reader.take(timeout_s=AT_ONCE)
        assert old.acknowledge()
        writer.put(sample("s-1"), timeout_s=AT_ONCE)
        (new,) = reader.take(timeout_s=AT_ONCE)

        assert old.ticket.slot == new.ticket.slot
        assert not old.acknowledge()
        assert reader.acknowledge([Ticket(99, 1), Ticket(-1, 1), old.ticket, new.ticket]) == 1


def test_another_process_acknowledges_for_a_loaders_worker(folder):
    """A worker's samples stay when it ends, and go back when the training does."""
    with Writer(folder) as writer, Reader(folder) as late:
        training = Reader(folder)
        worker = Reader(folder, answers=training.seat)
        for number in range(3):
            writer.put(sample(f"s-{number}"), timeout_s=AT_ONCE)
        leases = worker.take(2, timeout_s=AT_ONCE)
        worker.close()
        late.bury()
        assert ring_state(folder).leased == 2

        assert training.acknowledge([leases[0].ticket]) == 1
        training.close()
        assert numbers(late) == [1, 2]


def test_an_ended_stream_gives_what_is_there_and_takes_no_more(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        writer.put(sample("s-1"), timeout_s=AT_ONCE)
        end_ring(folder)

        with pytest.raises(StreamEnded):
            writer.put(sample("s-2"), timeout_s=AT_ONCE)
        assert numbers(reader) == [1]
        for _ in range(2):
            with pytest.raises(StreamEnded):
                reader.take(timeout_s=LONG_S)


def test_a_sample_that_was_begun_before_the_end_still_comes(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        slot = writer._reserve(b"x" * 16)
        end_ring(folder)
        assert slot is not None
        assert reader.take(timeout_s=AT_ONCE) == []
        assert writer._write(slot, 0, b"x" * 16, [])

        assert len(reader.take(timeout_s=LONG_S)) == 1


def test_two_trainings_do_not_wait_for_each_others_last_samples(folder):
    with Writer(folder) as writer, Reader(folder) as one, Reader(folder) as two:
        for number in range(2):
            writer.put(sample(f"s-{number}"), timeout_s=AT_ONCE)
        one.take(timeout_s=AT_ONCE), two.take(timeout_s=AT_ONCE)
        end_ring(folder)

        for each in (one, two):
            with pytest.raises(StreamEnded):
                each.take(timeout_s=LONG_S)


def test_a_stream_that_broke_says_why(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        end_ring(folder, "the worker gpu-0 is away")

        with pytest.raises(StreamError, match="the worker gpu-0 is away"):
            reader.take(timeout_s=LONG_S)
        with pytest.raises(StreamEnded, match="the worker gpu-0 is away"):
            writer.put(sample("s-1"), timeout_s=AT_ONCE)


def test_the_end_wakes_all_who_wait(folder):
    readers = [Reader(folder) for _ in range(3)]
    over: list[int] = []

    def wait(number: int) -> None:
        with pytest.raises(StreamEnded):
            readers[number].take(timeout_s=LONG_S)
        over.append(number)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    end_ring(folder)
    for thread in threads:
        thread.join(LONG_S)

    assert sorted(over) == [0, 1, 2]
    for reader in readers:
        reader.close()


def test_a_sample_that_is_too_large_is_refused(folder):
    with (
        Writer(folder) as writer,
        pytest.raises(
            StreamError,
            match=r"sample s-1: has [\d,]+ bytes, the stream was made for at most 4,096",
        ),
    ):
        writer.put(sample("s-1", side=100), timeout_s=AT_ONCE)
    assert ring_state(folder).free == 4


def test_memory_is_taken_when_it_is_needed_and_kept(tmp_path):
    make_ring(tmp_path, slots=8, slot_bytes=1 << 30)
    with Writer(tmp_path) as writer, Reader(tmp_path) as reader:
        for number in range(20):
            writer.put(sample(f"s-{number}"), timeout_s=AT_ONCE)
            reader.take(timeout_s=AT_ONCE)[0].acknowledge()

    assert ring_state(tmp_path).bytes == 4096
    assert (tmp_path / DATA).stat().st_blocks * 512 <= 2 * 4096


def test_a_full_disk_is_a_sentence_and_not_the_end_of_the_process(tmp_path):
    """To write to mapped memory that is not there would kill the writer without a word."""
    with small_disk(tmp_path / "disk", 1 << 20) as folder:
        make_ring(folder, slots=4, slot_bytes=1 << 20)
        with Writer(folder) as writer, Reader(folder) as reader:
            writer.put(sample("s-1", side=600), timeout_s=AT_ONCE)
            filler = fill(folder)
            with pytest.raises(StreamError, match="no memory for another sample of 360,"):
                writer.put(sample("s-2", side=600), timeout_s=AT_ONCE)

            assert ring_state(folder).free == 3
            assert numbers(reader) == [1]
            filler.unlink()
            assert writer.put(sample("s-2", side=600), timeout_s=AT_ONCE)


def test_a_disk_without_room_for_the_table_is_a_sentence(tmp_path):
    with (
        small_disk(tmp_path / "disk", 1 << 15) as folder,
        pytest.raises(SetupError, match="no samples fit"),
    ):
        make_ring(folder, slots=4, slot_bytes=4096)


def test_a_ring_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(StreamError, match="the stream is over or was never here"):
        Reader(tmp_path)


def test_a_ring_of_another_version_is_a_sentence(folder):
    (folder / CONTROL).write_bytes(b"VFRING9\0" + bytes(100))

    with pytest.raises(StreamError, match="a stream of another version"):
        Reader(folder)


def test_a_table_that_is_cut_short_is_a_sentence(folder):
    with Reader(folder) as reader:
        os.truncate(folder / CONTROL, 4100)

        with pytest.raises(StreamError, match="table was cut short"):
            reader.take(timeout_s=AT_ONCE)


def test_a_ring_needs_an_empty_folder(folder):
    with pytest.raises(SetupError, match="File exists"):
        make_ring(folder, slots=1, slot_bytes=1)


def test_there_are_as_many_members_as_seats(folder):
    members = [Reader(folder) for _ in range(SEATS)]
    with pytest.raises(StreamError, match="64 processes take part"):
        Reader(folder)
    members.pop().close()
    members.append(Reader(folder))

    for each in members:
        each.close()


def test_a_forked_process_has_no_part_in_it(folder):
    """Else the child would keep the seat of its parent, and what it has, when the parent dies."""
    with Writer(folder) as writer, Reader(folder) as reader:
        writer.put(sample("s-1"), timeout_s=AT_ONCE)
        (lease,) = reader.take(timeout_s=AT_ONCE)
        child = os.fork()
        if not child:
            try:
                reader.take(timeout_s=AT_ONCE)
            except RuntimeError:
                own = Reader(folder)
                os._exit(3 if own.seat != reader.seat and not lease.reader.let_go.alive else 1)
            os._exit(2)
        _pid, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 3
        assert lease.acknowledge()


# -- killed ------------------------------------------------------------------------------------


def test_what_a_killed_reader_had_goes_to_the_next(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        for number in range(4):
            writer.put(sample(f"s-{number}"), timeout_s=AT_ONCE)
        with running("take", folder, 3) as process:
            assert heard(process) == "s-0 s-1 s-2"
            assert numbers(reader, most=1) == [3]
            reader.bury()
            assert ring_state(folder).ready == 0  # it lives

        found = [lease.sample().id for _ in range(3) for lease in reader.take(1, timeout_s=LONG_S)]
        assert found == ["s-0", "s-1", "s-2"]


def test_what_a_killed_writer_had_begun_was_never_there(folder):
    with Writer(folder) as writer, Reader(folder) as reader:
        with running("reserve", folder) as process:
            assert heard(process) == "reserved"
            assert ring_state(folder).writing == 1

        for number in range(4):  # which needs its slot
            writer.put(sample(f"s-{number}"), timeout_s=LONG_S)
        assert numbers(reader) == [0, 1, 2, 3]


def test_an_end_does_not_wait_for_a_writer_that_was_killed(folder):
    with Reader(folder) as reader:
        with running("reserve", folder) as process:
            assert heard(process) == "reserved"
        end_ring(folder)

        with pytest.raises(StreamEnded):
            reader.take(timeout_s=LONG_S)


def test_what_a_killed_writer_had_put_stays(folder):
    with running("put", folder, 0, 3) as process:
        assert heard(process) == "done"

    with Reader(folder) as reader:
        assert numbers(reader) == [0, 1, 2]


def test_who_is_killed_after_it_acknowledged_gives_nothing_back(folder):
    """The note of it comes before the slot is free: between the two, the note counts."""
    with Writer(folder) as writer, Reader(folder) as reader:
        writer.put(sample("s-1"), timeout_s=AT_ONCE)
        (lease,) = reader.take(timeout_s=AT_ONCE)
        row = reader.control.rows()[lease.ticket.slot]
        counts = reader.control.counts()
        counts.acknowledged += 1
        reader.control.set_counts(counts)
        reader.control.remember(row["id"].tobytes(), 0)
        reader.let_go()

        with Reader(folder) as other:
            assert numbers(other) == []
            other.bury()
        assert ring_state(folder).free == 4


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_lost_or_doubled_however_they_are_killed(folder, tmp_path, seed):
    """Two writers and three readers; one is killed and started again, thirty times."""
    chance = np.random.default_rng(seed)
    log = tmp_path / "log"
    log.touch()
    count = 300
    begin = {
        **{f"writer {at}": ("put", folder, at * count, count) for at in range(2)},
        **{f"reader {at}": ("use", folder, log) for at in range(3)},
    }
    processes = {name: started(*words) for name, words in begin.items()}
    try:
        for at in range(1, 31):
            lines = at * 2 * count * 2 // 32
            wait_for(lambda lines=lines: len(noted(log)) >= lines, "more samples are used")
            name = str(chance.choice(sorted(begin)))
            processes[name].kill()
            ended(processes[name])
            processes[name] = started(*begin[name])
        for at in range(2):
            assert heard(processes[f"writer {at}"]) == "done"
        wait_for(lambda: is_over(folder, log, 2 * count), "all are acknowledged")
        end_ring(folder)
        assert [heard(processes[f"reader {at}"]) for at in range(3)] == ["ended"] * 3
    finally:
        for process in processes.values():
            process.kill()
            ended(process)

    seen: Counter[str] = Counter()
    finished: set[str] = set()
    for what, name, _pid in noted(log):
        assert name not in finished or what == "over"
        seen[name] += what == "used"
        if what == "over":
            assert name not in finished
            finished.add(name)
    assert sum(seen.values()) <= 2 * count + 2 * 30  # a reader that is killed has two at most


def noted(log: Path) -> list[list[str]]:
    """Return the whole lines of a log."""
    return [line.split() for line in log.read_text().split("\n")[:-1] if len(line.split()) == 3]


def is_over(folder: Path, log: Path, count: int) -> bool:
    """Say whether all were used and none is left."""
    return len({name for _what, name, _pid in noted(log)}) == count and (
        ring_state(folder).free == 4
    )


def ended(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
