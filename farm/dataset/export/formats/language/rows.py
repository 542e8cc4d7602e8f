"""What the formats of sentences in Parquet share: rows of each view, and the card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import pyarrow.parquet as pq
from datasets import Features

from farm.dataset.export.base import ExportJob, ExportPart, Lines, Written
from farm.dataset.export.formats.huggingface import SPLIT_NAME, groups, to_table
from farm.dataset.export.formats.language.sentences import Entry, SentenceExporter
from farm.dataset.records.card import CARD, card_head
from farm.errors import SpecError
from farm.spec.record import ViewRecord

ROW_BYTES = 1000
"""Size of a row beside its picture, about."""


class ViewRows(NamedTuple):
    """What was made of a view."""

    rows: list[Entry]
    left_out: dict[str, int]
    files: list[str]
    """Those that were written beside."""


class RowsExporter(SentenceExporter[ViewRows]):
    """`data/<split>-<number>.parquet` and `README.md`, the card that says which split is where."""

    takes = frozenset({"shard_mb", "text"})
    part_views = 1000
    by_size = True
    features: ClassVar[Features]
    columns: ClassVar[dict[str, str]]
    """What each column is."""
    split_names: ClassVar[dict[str, str]] = {}
    """What readers call splits that have other names here."""
    task: ClassVar[str]
    """What the Hub calls what it is for."""
    holds_pictures: ClassVar[bool] = True
    """Each row has its picture inside."""

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        for name in self.survey.splits:
            if not SPLIT_NAME.fullmatch(name):
                raise SpecError(
                    f"{name!r}: {self.options.format} allows only letters, digits, _ and . in the "
                    "name of a split"
                )

    def write(self, part: ExportPart, taken: Iterator[ViewRows]) -> Written:
        path = f"data/{part.name}.parquet"
        schema = self.features.arrow_schema
        files, lines = [path], list[Any]()

        def rows() -> Iterator[Entry]:
            for view in taken:
                files.extend(view.files)
                lines.append({"left_out": view.left_out, "rows": len(view.rows)})
                yield from view.rows

        with (
            self.outbox.open(path) as file,
            pq.ParquetWriter(file, schema, compression="zstd", write_page_index=True) as shard,
        ):
            for group in groups(rows()):
                shard.write_table(to_table(group, schema))
        return Written(files, lines)

    def size_of(self, record: ViewRecord) -> int:
        picture = record.files["rgb"].size_bytes if self.holds_pictures else 0
        return (ROW_BYTES + picture) * len(record.expressions)

    def split_of(self, name: str) -> str:
        """Return what readers call a split."""
        wanted = self.split_names.get(name, name)
        return name if wanted in self.survey.splits else wanted

    def finish(self, lines: Lines) -> list[str]:
        counts = {
            self.split_of(split): sum(line["rows"] for line in lines(split))
            for split in self.survey.splits
        }
        files = [
            {"split": self.split_of(split), "path": f"data/{split}-*.parquet"}
            for split in self.survey.splits
        ]
        head = card_head(files, self.survey.licences(), task=self.task)
        return [self.outbox.put_text(CARD, f"{head}\n{self._card(counts)}")]

    def _card(self, counts: dict[str, int]) -> str:
        return "\n".join(
            [
                f"Sentences about {self.survey.views:,} rendered views, made by Viewfarm.",
                "ATTRIBUTION.md names the authors and licences of its models and HDRIs.",
                "", "## Splits", "", "| split | rows |", "|---|---|",
                *(f"| {name} | {rows:,} |" for name, rows in counts.items()),
                "", "## Columns", "", "| column | what |", "|---|---|",
                *(f"| `{name}` | {text} |" for name, text in self.columns.items()), "",
            ]
        )  # fmt: skip
