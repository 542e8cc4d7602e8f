from __future__ import annotations

from farm.dataset.records.newest import Fold
from farm.dataset.records.read import RecordLine, newest
from tests.builders import a_record, a_view


def an_entry(index, **changes):
    record = a_record(a_view(index), **changes)
    return RecordLine(record, record.model_dump_json().encode())


def folded(entries):
    with Fold() as fold:
        for entry in entries:
            fold.add(entry)
        return list(fold.lines())


def test_views_come_in_the_order_of_the_dataset():
    entries = [an_entry(index) for index in (3, 1, 2, 0)]

    assert folded(entries) == [entries[at].line for at in (3, 1, 2, 0)]


def test_of_a_view_the_newest_record_stands():
    old, new = an_entry(0, attempt=1), an_entry(0, attempt=2)

    assert folded([old, an_entry(1), new])[0] == new.line


def test_a_view_whose_file_another_has_overwritten_is_gone():
    first = an_entry(0)
    other = an_entry(0, view_id="another")

    assert folded([first, other]) == [other.line]


def test_what_stands_is_what_stands_in_memory():
    entries = [an_entry(0), an_entry(1), an_entry(0, view_id="x"), an_entry(1, attempt=3)]

    standing = newest(entries).values()
    in_order = sorted(standing, key=lambda entry: entry.record.view.index)
    assert folded(entries) == [entry.line for entry in in_order]
