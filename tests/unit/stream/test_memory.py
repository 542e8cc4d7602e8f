"""Samples in memory that processes share: whoever looks at one sees it whole, and unchanged."""

from __future__ import annotations

import gc
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from farm.errors import StreamError
from farm.stream import memory
from farm.stream.memory import SampleReader, SampleWriter, free_files
from farm.stream.sample import Sample
from farm.stream.wire import pack, unpack
from tests.support.full_disks import fill, small_disk
from tests.support.memory_processes import heard, started

SIDE = 64


def message(value: int, side: int = SIDE):
    return pack(Sample(f"s-{value}", {"image": np.full((side, side), value, np.uint8)}))


def image(reader: SampleReader, file: str) -> np.ndarray:
    return unpack(reader.open(file)).fields["image"]


def test_what_was_put_is_opened(tmp_path):
    file = SampleWriter(tmp_path).put("job-7", message(7))

    found = unpack(SampleReader(tmp_path).open(file))

    assert file.startswith("job-7.")
    assert found.id == "s-7"
    assert (found.fields["image"] == 7).all()


def test_a_sample_cannot_be_written_to(tmp_path):
    file = SampleWriter(tmp_path).put("job-7", message(7))

    with pytest.raises(ValueError, match="read-only"):
        image(SampleReader(tmp_path), file)[:] = 0


def test_a_file_that_was_released_is_used_again(tmp_path):
    writer, reader = SampleWriter(tmp_path), SampleReader(tmp_path)
    for value in range(20):
        file = writer.put(f"job-{value}", message(value))
        assert (image(reader, file) == value).all()
        reader.release(file)

    assert len(list(tmp_path.iterdir())) == 1


def test_a_larger_sample_fits_into_a_used_file(tmp_path):
    writer, reader = SampleWriter(tmp_path), SampleReader(tmp_path)
    for side in (10, 300, 20):
        file = writer.put("job-1", message(side % 251, side))
        assert image(reader, file).shape == (side, side)
        assert (image(reader, file) == side % 251).all()
        reader.release(file)
        gc.collect()

    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(lambda data: unpack(data).fields["image"], id="an array"),
        pytest.param(lambda data: unpack(data).fields["image"][3:, ::2], id="a part of one"),
        pytest.param(lambda data: data[100:], id="bytes"),
    ],
)
def test_what_somebody_holds_is_not_overwritten(tmp_path, part):
    writer, reader = SampleWriter(tmp_path), SampleReader(tmp_path)
    file = writer.put("job-1", message(1))
    held = part(reader.open(file))
    before = bytes(held)
    reader.release(file)

    writer.put("job-2", message(2))
    assert bytes(held) == before
    assert free_files(tmp_path) == []
    del held
    gc.collect()
    assert len(free_files(tmp_path)) == 1


def test_what_was_given_to_another_meanwhile_stays_for_who_still_looks(tmp_path):
    """As when a training was stopped for longer than its lease."""
    writer, stopped, other = SampleWriter(tmp_path), SampleReader(tmp_path), SampleReader(tmp_path)
    file = writer.put("job-1", message(1))
    held = image(stopped, file)
    image(other, file)
    other.release(file)
    assert len(free_files(tmp_path)) == 1

    writer.put("job-2", message(2))

    assert (held == 1).all()
    assert len(list(tmp_path.iterdir())) == 1  # the one that is held has no name any more
    stopped.release(file)
    del held
    gc.collect()


def test_who_was_killed_holds_nothing(tmp_path):
    writer, reader = SampleWriter(tmp_path), SampleReader(tmp_path)
    file = writer.put("job-1", message(1))
    process = started("hold", tmp_path, file)
    assert heard(process) == "holds"
    image(reader, file)
    reader.release(file)
    process.kill()
    process.wait()

    assert Path(writer.put("job-2", message(2))).suffix == Path(file).suffix
    assert process.stdout is not None
    process.stdout.close()


def test_a_forked_process_frees_nothing(tmp_path):
    """It has all arrays of its parent, and lets go of them when it likes."""
    writer, reader = SampleWriter(tmp_path), SampleReader(tmp_path)
    file = writer.put("job-1", message(1))
    held = image(reader, file)
    reader.release(file)
    child = os.fork()
    if not child:
        del held
        gc.collect()
        os._exit(len(free_files(tmp_path)))
    _pid, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    writer.put("job-2", message(2))
    assert (held == 1).all()


def test_little_waits_to_be_used_again(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MOST_SPARE_BYTES", 3 * 4400)
    writer, reader = SampleWriter(tmp_path), SampleReader(tmp_path)
    files = [writer.put(f"job-{value}", message(value)) for value in range(9)]
    for file in files:
        reader.open(file)
        reader.release(file)
    gc.collect()

    assert len(list(tmp_path.iterdir())) == 3
    writer.put("job-9", message(9, side=200))
    assert len(writer._known._files) == 3  # memory of what was removed is not kept


def test_a_sample_that_nobody_was_told_of_is_removed(tmp_path):
    writer = SampleWriter(tmp_path)
    writer.remove(writer.put("job-1", message(1)))

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path):
    """To write to mapped memory that is not there would kill the writer without a word."""
    with small_disk(tmp_path / "disk", 1 << 20) as folder:
        writer = SampleWriter(folder)
        filler = fill(folder)
        with pytest.raises(StreamError, match="no memory for another sample of 360,"):
            writer.put("job-1", message(1, side=600))

        assert [each.name for each in folder.iterdir()] == [filler.name]
        filler.unlink()
        assert writer.put("job-1", message(1, side=600))
        del writer


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "gone from memory", id="gone"),
        pytest.param(b"", "cut short", id="empty"),
        pytest.param(b"GIF89a" + bytes(50), "is the sender a farm", id="something else"),
        pytest.param(b"".join(message(1))[:-64], "cut short", id="cut short"),
    ],
)
def test_what_is_no_sample_is_a_sentence(tmp_path, content, said):
    if content is not None:
        (tmp_path / "job-1.abc").write_bytes(content)

    with pytest.raises(StreamError, match=said):
        SampleReader(tmp_path).open("job-1.abc")


def ended(processes) -> None:
    for process in processes:
        process.wait()
        process.stdout.close()


def test_many_threads_and_processes_write_and_read_at_once(tmp_path):
    """Whoever reads sees the sample that was put, whole."""
    processes = [started("put", tmp_path, number, 200) for number in range(2)]
    reader = SampleReader(tmp_path)
    wrong: list[str] = []

    def read(line: str) -> None:
        value, file = line.split()
        if not (image(reader, file) == int(value)).all():
            wrong.append(file)
        reader.release(file)

    def follow(process) -> None:
        while (line := heard(process)) != "done":
            read(line)

    threads = [threading.Thread(target=follow, args=(each,)) for each in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended(processes)
    assert wrong == []
    assert len(free_files(tmp_path)) == len(list(tmp_path.iterdir()))


def test_what_is_held_outlives_the_folder(tmp_path):
    """A farm that ends takes its folder along; arrays of its samples stay, and go in silence."""
    folder = tmp_path / "samples"
    folder.mkdir()
    file = SampleWriter(folder).put("job-7", message(7))
    reader = SampleReader(folder)
    held = image(reader, file)
    reader.release(file)

    shutil.rmtree(folder)

    assert (held == 7).all()
    del held  # pytest would tell of an error in what this sets off
    gc.collect()
