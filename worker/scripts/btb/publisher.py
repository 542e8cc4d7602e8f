"""What a script sends: fields of the view's record."""

from __future__ import annotations

from typing import Any

from worker.scripts.btb.here import here


class DataPublisher:
    """Takes what a script tells of a view; there is no socket."""

    def __init__(
        self, bind_address: str = "", btid: int | None = None, send_hwm: int = 10, lingerms: int = 0
    ) -> None:
        del bind_address, send_hwm, lingerms
        self.btid = btid

    def publish(self, **fields: Any) -> None:
        """Write fields into the record of the view that is made now."""
        here().publish(fields)


BlenderOutputChannel = DataPublisher
"""What it was called before."""


class DuplexChannel:
    """Takes what a script sends, and gives it the parameters of its view."""

    def __init__(
        self, bind_address: str = "", btid: int | None = None, lingerms: int = 0, **_more: Any
    ) -> None:
        del bind_address, lingerms
        self.btid = btid
        self._given: object = None

    def recv(self, timeoutms: int | None = 0) -> dict[str, Any] | None:
        """Return the parameters of the view that is made now, once; None where there are none."""
        del timeoutms
        view = here().view
        if view is None or not view.params or view is self._given:
            return None
        self._given = view
        return {**view.params, "btid": self.btid, "btmid": view.index}

    def send(self, **fields: Any) -> int:
        """Write fields into the record of the view that is made now."""
        here().publish(fields)
        return 0
