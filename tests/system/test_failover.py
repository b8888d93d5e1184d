"""PostgreSQL restarted, and failed over to a streaming replica, while enrolments, top-ups and deliveries go on."""

import concurrent.futures
import itertools
import os
import threading
import time

import pytest

from conftest import charging
from crash.lane import Lane, ask, must, wait
from office.process import OfficeError, free_port

NUMBER = 4      # of each lane, in each half


@pytest.fixture(scope="module")
def office():
    with charging(certd=True) as o:
        o.standby = o.cluster.standby(o.path("pg2"), free_port())
        for name, service in o.services.items():
            conf = o.path(name, f"{name}.conf")
            with open(conf, encoding="utf-8") as f:
                text = f.read()
            with open(conf, "w", encoding="utf-8") as f:
                f.write(text.replace(f"host=127.0.0.1 port={o.cluster.port} ", "host=127.0.0.1,127.0.0.1 "
                        f"port={o.cluster.port},{o.standby.port} target_session_attrs=read-write connect_timeout=3 "))
            service.stop()
            o.start_service(name)
        yield o
        o.standby.stop()


def load(lane):
    """Deliveries and top-ups, one after the other; what was sent."""
    sent, begun = [], len(ask(lane.a, "SELECT 1 FROM event WHERE kind = 3"))
    for _ in range(NUMBER):
        path = lane.file()
        must(lane.send(path), "an order was not taken")
        sent.append(path)
        lane.a.sealpost("credits", "add", "5", "--account", lane.account)
        time.sleep(0.2)
    return sent, len(ask(lane.a, "SELECT 1 FROM event WHERE kind = 3")) - begun


def enrol(office, lanes, name, over):
    """Stations enrol all the while; each has one certificate in the end."""
    number = 0
    for who in map(f"{name}{{}}".format, itertools.count(1)):
        if over.is_set():
            return number
        try:
            token = office.invite(who, "desktop")
        except OfficeError:     # psql, without a database; nobody holds a token
            time.sleep(0.3)
            continue
        station = office.station(who, enrol=False)
        end = time.monotonic() + 60
        while station.sealpost("enrol", token, check=False).returncode != 0:
            must(time.monotonic() < end, "an enrolment did not come to an end")
            time.sleep(0.3)
        station.daemon.stop()
        office.stations.pop(who)
        number += 1


def under(office, lanes, name, happening):
    over = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(len(lanes) + 1) as pool:
        enrolments = pool.submit(enrol, office, lanes, name, over)
        loads = [pool.submit(load, lane) for lane in lanes]
        time.sleep(0.5)
        happening()
        done = [f.result() for f in loads]
        over.set()
        count = enrolments.result()
    for lane, (sent, topups) in zip(lanes, done):
        lane.idle(120)
        must(topups == NUMBER, f"{topups} top-ups for {NUMBER}")
        lane.got += 5 * topups
        for path in sent:
            event = [e for e in lane.new() if e["title"] == lane_title(lane, e, path)]
            must(len(event) == 1 and event[0]["result"] == "delivered" and event[0]["postmarked"], f"{path}: {event}")
            lane.orders[event[0]["id"]] = path
            lane.spent += event[0]["price"]
            must(lane.marks(event[0]["id"]) == event[0]["price"], "settled otherwise")
        lane.whole()
        must(lane.a.json("credits")[0]["free"] == lane.got - lane.spent, "the wallet's sum is wrong")
        holds = office.admin_sql(f"SELECT holds FROM credit.v_account WHERE number = '{lane.account}'")
        must(holds == [[str(10000 - lane.got)]], f"the account holds {holds}, {lane.got} were granted")
    rows = office.cluster.sql(f"SELECT count(*), count(DISTINCT name) FROM key.v_certificate WHERE name LIKE '{name}%'")
    must(rows == [[str(count), str(count)]], f"{count} enrolments made {rows} certificates")


def lane_title(lane, event, path):
    """The packet's title, if it is the packet of this file."""
    placed = [e["placed"] for e in lane.log(lane.b) if e["id"] == event["id"] and e["kind"] == "receive"]
    return event["title"] if placed and os.path.exists(os.path.join(placed[0], os.path.basename(path))) else None


def test_sys16_cr11_postgresql_restarted_and_failed_over_under_load(office, tmp_path):
    lanes = [Lane(office, n, str(tmp_path / str(n))) for n in (1, 2)]

    def restart():
        office.cluster.kill()
        time.sleep(1)
        office.cluster.start()
    under(office, lanes, "eva", restart)

    def fail_over():
        office.cluster.kill()
        office.standby.promote()
        office.cluster, office.primary = office.standby, office.cluster
    under(office, lanes, "frank", fail_over)
    wait(lambda: office.admin_sql("SELECT 1") == [["1"]], 10, "the operator reaches the new primary")
