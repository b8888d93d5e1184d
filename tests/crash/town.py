"""An office whose lanes take one case after the other, several at once; what needs a service changed has the office for itself."""

import concurrent.futures
import itertools
import os
import queue
import threading

from .lane import Lane


class Town:
    """run(lane, case) looks at one case; its result is that of futures[case]. Cases of is_alone() come after all others."""

    def __init__(self, office, folder, lanes, run, cases, is_alone, kind=Lane, settings=""):
        self.office, self.folder, self.run_case = office, folder, run
        self.kind, self.settings = kind, settings
        self.lanes = queue.SimpleQueue()
        self.numbers, self.lock = itertools.count(lanes), threading.Lock()
        self.pool = concurrent.futures.ThreadPoolExecutor(lanes)
        self.alone = concurrent.futures.ThreadPoolExecutor(1)
        for number in range(lanes):
            self.lanes.put(self.lane(number))
        self.futures = {case: self.pool.submit(self.run, case) for case in cases if not is_alone(case)}
        together = list(self.futures.values())
        self.futures.update((case, self.alone.submit(self.run_alone, together, case)) for case in cases if is_alone(case))

    def lane(self, number):
        return self.kind(self.office, number, os.path.join(self.folder, str(number)), self.settings)

    def run_alone(self, others, case):
        concurrent.futures.wait(others)
        return self.run(case)

    def run(self, case):
        lane = self.lanes.get()
        try:
            return self.run_case(lane, case)
        except Exception:
            # what is left of it must not fail the cases after it
            self.mend(lane)
            with self.lock:
                number = next(self.numbers)
                lane = self.lane(number)
            raise
        finally:
            self.mend(lane)
            self.lanes.put(lane)

    def mend(self, lane):
        for name in ("keyd", "creditd", "certd"):
            lane.restart(name)

    def close(self):
        for pool in (self.pool, self.alone):
            pool.shutdown(cancel_futures=True)


def wanted(request, name, everything):
    """The cases, by the name of their parameter, of those tests of this module that run."""
    found = [i.callspec.params[name] for i in request.session.items if i.fspath == request.node.fspath and
             name in getattr(i, "callspec", request).params]
    return found if request.session.items else everything
