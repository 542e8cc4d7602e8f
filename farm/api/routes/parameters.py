"""What routes take from a request, with its limits, and what several answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

PAGE_LIMIT = 1000
NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
"""Headers of files: a browser must not take them for something else."""

Limit = Annotated[int, Query(ge=1, le=PAGE_LIMIT, description="Most items per page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the previous page.")]
DryRun = Annotated[bool, Query(description="Only report what would be removed.")]
JobId = Annotated[str, Path(description="Id of a job.", max_length=64)]
Index = Annotated[int, Path(ge=0, le=2**40, description="Index of the task in the job, from 0.")]
Sha256 = Annotated[str, Path(description="SHA-256 of the file, hex.", max_length=128)]
