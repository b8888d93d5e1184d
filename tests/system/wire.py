"""A wire between two stations that remembers their letters."""

import os
import select
import socket
import threading

SEALED = 1      # the kind of letter that matters here, second byte


class Wire:
    """Each station knows the other at this wire's address of it. Datagrams only."""

    def __init__(self, a, b):
        self.ends = []
        for _ in (a, b):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(("127.0.0.1", 0))
            self.ends.append(s)
        self.stations = (a, b)
        self.letters = ([], [])     # to a, to b
        self.stopping = self.cut = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        for mine, other, end in ((a, b, self.ends[1]), (b, a, self.ends[0])):
            mine.sealpost("book", "add", other.name, "--address", f"127.0.0.1:{end.getsockname()[1]}")

    def _run(self):
        # what comes to b's address is a's, and leaves from a's
        while not self.stopping:
            for end in select.select(self.ends, [], [], 0.2)[0]:
                at = self.ends.index(end)
                letter = end.recv(2000)
                if letter[1] == SEALED and letter not in self.letters[at]:
                    self.letters[at].append(letter)
                if not self.cut:
                    self.ends[1 - at].sendto(letter, ("127.0.0.1", self.stations[at].port))

    def close(self):
        self.stopping = True
        self.thread.join()
        for end in self.ends:
            end.close()

    def save(self, to, folder):
        """Files of all letters to a station so far, in their order."""
        at = self.stations.index(to)
        paths = []
        for n, letter in enumerate(self.letters[at]):
            paths.append(os.path.join(folder, f"to{at}-{n}"))
            with open(paths[-1], "wb") as f:
                f.write(letter)
        return paths
