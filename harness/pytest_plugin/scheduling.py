"""How pytest-xdist hands checks to workers: by cluster, and a check whose worker died is not run again."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadGroupScheduling


class ByCluster(LoadGroupScheduling):  # type: ignore[misc]  # pytest-xdist's types are not published
    """Like `--dist loadgroup`, which would give the check that ended a worker to the next one, and so on."""

    def remove_node(self, node: Any) -> str | None:
        """Takes a worker out; the check that it was running when it died, if it died. The rest goes to others."""
        work = self.assigned_work.pop(node)
        pending = [(unit, nodeid) for unit in work.values() for nodeid, is_done in unit.items() if not is_done]
        if not pending:
            return None
        crashed: str
        unit, crashed = pending[0]
        unit[crashed] = True
        self.workqueue.update({scope: rest for scope, rest in work.items() if not all(rest.values())})
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed
