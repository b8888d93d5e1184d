"""Measures a network from within a namespace, with nothing but sockets; answers in JSON.

    probe.py echo ADDRESS PORT                       sends UDP back until its standard input ends; says "ready" first
    probe.py ping ADDRESS PORT COUNT EACH_MS WAIT_MS {"rtts": ms of each that came back, "copies": answers, "late": out of order}
    probe.py sink ADDRESS PORT                       one TCP connection to its end; "ready" first, then {"bytes", "seconds"}
    probe.py source ADDRESS PORT BYTES"""

import json
import select
import socket
import sys
import time


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def echo(address, port):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.bind((address, port))
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select([s, sys.stdin], [], [])
        if sys.stdin in readable:
            return
        data, peer = s.recvfrom(2048)
        s.sendto(data, peer)


def ping(address, port, count, interval_ms, wait_ms):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.connect((address, port))
    rtts, last, copies, late = {}, -1, 0, 0
    start = time.monotonic()
    end = start + count * interval_ms / 1000 + wait_ms / 1000
    sent = 0
    while (now := time.monotonic()) < end and len(rtts) < count:
        due = start + sent * interval_ms / 1000
        if sent < count and now >= due:
            s.send(b"%d %.9f" % (sent, now))
            sent += 1
            continue
        wait = min(due, end) - now if sent < count else end - now
        if not select.select([s], [], [], max(0, wait))[0]:
            continue
        number, then = s.recv(2048).split()
        copies += 1
        late += int(number) < last
        last = max(last, int(number))
        rtts.setdefault(int(number), (time.monotonic() - float(then)) * 1000)
    print(json.dumps({"rtts": list(rtts.values()), "copies": copies, "late": late}))


def sink(address, port):
    s = socket.socket(family(address), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen()
    print("ready", flush=True)
    c, _ = s.accept()
    buffer, total, start = bytearray(1 << 20), 0, time.monotonic()
    while n := c.recv_into(buffer):
        total += n
    print(json.dumps({"bytes": total, "seconds": time.monotonic() - start}))


def source(address, port, size):
    c = socket.create_connection((address, port))
    block = bytes(1 << 20)
    while size > 0:
        size -= c.send(block[:min(size, len(block))])


def main():
    what, address, port, *numbers = sys.argv[1:]
    {"echo": echo, "ping": ping, "sink": sink, "source": source}[what](address, int(port), *map(int, numbers))


main()
