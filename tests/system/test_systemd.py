"""What systemd is given: units that it accepts as they are, hardened, with users and folders of their own; and daemons that
tell it when they are ready and when they stop."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

from conftest import SOURCE, _build, _office, retire, sanitizer_reports

EXPOSURE_MOST = 2.0
SERVICES = [name for name in ("keyd", "creditd", "certd") if os.path.exists(os.path.join(SOURCE, name, "main.c"))]
SYSTEM_UNITS = [f"sealpost-{name}.service" for name in SERVICES] + ["sealpost-peerd@alice.service"]


def systemd(*words, **env):
    return subprocess.run(words, check=False, capture_output=True, text=True, env={**os.environ, **env}, timeout=60)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A machine's root with what make install puts there, and systemd's own units that ours name."""
    folder = str(tmp_path_factory.mktemp("root"))
    subprocess.run(["make", "-s", "-C", _build("SP_BUILD", "build-check"), "install", f"DESTDIR={folder}"], check=True,
                   capture_output=True)
    shutil.copytree("/usr/lib/systemd/system", os.path.join(folder, "usr/lib/systemd/system"), symlinks=True)
    return folder


def of_root(root, *parts):
    return os.path.join(root, "usr/local", *parts)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


@pytest.mark.parametrize("unit", SYSTEM_UNITS)
def test_systemd_has_nothing_to_say_about_a_unit(root, unit):
    done = systemd("systemd-analyze", "verify", f"--root={root}", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_systemd_would_say(root, tmp_path):
    """The test above sees a wrong word, and a program that is not there."""
    shutil.copytree(root, tmp_path / "root", symlinks=True)
    path = tmp_path / "root/usr/local/lib/systemd/system/sealpost-keyd.service"
    path.write_text(path.read_text(encoding="utf-8").replace("UMask=", "UMaskk="), encoding="utf-8")
    os.unlink(tmp_path / "root/usr/local/sbin/keyd")
    done = systemd("systemd-analyze", "verify", f"--root={tmp_path}/root", "--man=no", "sealpost-keyd.service")
    assert done.returncode != 0 and "UMaskk" in done.stderr and "keyd is not executable" in done.stderr


def test_the_unit_of_a_users_own_manager(root, tmp_path):
    """It is looked at as a file: systemd-analyze knows no root for a user's units."""
    unit = tmp_path / "sealpost-peerd.service"
    text = read(of_root(root, "lib/systemd/user/sealpost-peerd.service"))
    assert "ExecStart=/usr/local/sbin/peerd\n" in text
    unit.write_text(text.replace("/usr/local/sbin", of_root(root, "sbin")), encoding="utf-8")
    # short: the sockets of the machine's own user units lie in it
    with tempfile.TemporaryDirectory(prefix="sp", dir="/tmp") as run:
        done = systemd("systemd-analyze", "--user", "verify", "--man=no", str(unit), XDG_RUNTIME_DIR=run, HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", SYSTEM_UNITS)
def test_a_unit_leaves_its_program_little(root, unit):
    done = systemd("systemd-analyze", "security", f"--root={root}", "--offline=true", "--no-pager", unit)
    exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+) ", done.stdout)[1])
    assert exposure <= EXPOSURE_MOST, done.stdout
    table = json.loads(systemd("systemd-analyze", "security", f"--root={root}", "--offline=true", "--json=short", unit).stdout)
    missing = {row["json_field"] for row in table if row["exposure"] and float(row["exposure"]) >= 0.2}
    # a program that serves the network needs it; a station reads what its user sends and writes where the user says
    needed = {"PrivateNetwork", "RestrictAddressFamilies_AF_INET_INET6", "IPAddressDeny"}
    assert missing <= needed | ({"ProtectHome", "PrivateTmp", "RestrictSUIDSGID"} if "peerd" in unit else set())


def test_a_station_may_open_files_below_its_folders(root):
    """RestrictSUIDSGID= forbids openat2(2), and nothing could be sent or received."""
    for unit in ("system/sealpost-peerd@.service", "user/sealpost-peerd.service"):
        assert not re.search("^RestrictSUIDSGID=", read(of_root(root, "lib/systemd", unit)), re.M)


def words_of(path):
    return [line.split() for line in read(path).splitlines() if line and line[0] not in "#[;"]


def test_each_service_has_a_user_and_folders_of_its_own(root):
    users = {w[1] for w in words_of(of_root(root, "lib/sysusers.d/sealpost.conf")) if w[0] == "u"}
    folders = {w[1]: w for w in words_of(of_root(root, "lib/tmpfiles.d/sealpost.conf"))}
    for name in SERVICES:
        unit = read(of_root(root, f"lib/systemd/system/sealpost-{name}.service"))
        user = re.search(r"^User=(.*)$", unit, re.M)[1]
        state = "/var/lib/" + re.search(r"^StateDirectory=(.*)$", unit, re.M)[1]
        sample = subprocess.run([of_root(root, "sbin", name), "--sample-config"], check=True, capture_output=True, text=True).stdout
        conf = f"/usr/local/etc/sealpost/{name}.conf"
        assert user == f"sealpost-{name}" and user in users
        assert folders[state][2:5] == ["0700", user, user]
        assert f'#state = "{state}";' in sample     # what the program uses is what the unit may write
        assert folders[conf][2:5] == ["0640", "root", user]
        assert read(root + conf) == sample
        assert f"ExecStart=/usr/local/sbin/{name}\n" in unit


def test_users_and_folders_can_be_made(root, tmp_path):
    os.mkdir(tmp_path / "etc")
    done = systemd("systemd-sysusers", f"--root={tmp_path}", "--dry-run", of_root(root, "lib/sysusers.d/sealpost.conf"))
    assert done.returncode == 0, done.stderr
    for name in SERVICES:
        assert f"Creating user 'sealpost-{name}'" in done.stderr
    done = systemd("systemd-tmpfiles", f"--root={tmp_path}", "--cat-config", of_root(root, "lib/tmpfiles.d/sealpost.conf"))
    assert done.returncode == 0, done.stderr


def test_settings_that_are_there_outlive_an_installation(root, tmp_path):
    """And an uninstallation, if they were changed."""
    build = _build("SP_BUILD", "build-check")
    conf = tmp_path / "usr/local/etc/sealpost"
    os.makedirs(conf)
    (conf / "keyd.conf").write_text("# mine\n", encoding="utf-8")
    for target in ("install-data-hook", "uninstall-hook"):
        subprocess.run(["make", "-s", "-C", build, target, f"DESTDIR={tmp_path}"], check=True, capture_output=True)
        assert read(conf / "keyd.conf") == "# mine\n"
        assert os.path.exists(conf / "creditd.conf") == (target == "install-data-hook")


# ---- what the daemons say ----

class Manager:
    """The socket that a service manager listens on."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(30)

    def hears(self):
        return self.socket.recv(200)

    def hears_nothing(self):
        self.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            self.socket.recv(200)
        self.socket.settimeout(30)


@pytest.fixture(scope="module")
def own_office():
    o = _office(_build("SP_BUILD", "build-check"))
    try:
        for name in SERVICES[1:]:
            getattr(o, f"add_{name}")()
        yield o
        assert not sanitizer_reports(o)
    finally:
        o.remove()


@pytest.fixture
def manager(own_office):
    m = Manager(own_office.folder)
    yield m
    m.socket.close()
    os.unlink(m.path)


@pytest.mark.parametrize("name", SERVICES)
def test_sys17_a_service_says_when_it_serves_and_when_it_stops(own_office, manager, name):
    daemon = own_office.services[name]
    daemon.stop()
    daemon.start({"NOTIFY_SOCKET": manager.path})
    assert manager.hears() == b"READY=1"
    with socket.create_connection(("127.0.0.1", own_office.facts[f"{name}_port"]), timeout=1):    # it is true
        pass
    manager.hears_nothing()
    assert daemon.stop(10)
    assert manager.hears() == b"STOPPING=1"
    manager.hears_nothing()
    own_office.start_service(name)


def test_sys17_a_station_says_when_it_listens_and_when_it_stops(own_office, manager):
    station = own_office.station("dora")
    station.daemon.stop()
    station.daemon.start({"NOTIFY_SOCKET": manager.path})
    assert manager.hears() == b"READY=1"
    assert json.loads(station.sealpost("--json", "status").stdout)["ready"]
    with socket.create_connection(("127.0.0.1", station.port), timeout=1):
        pass
    assert station.daemon.stop(15)
    assert manager.hears() == b"STOPPING=1"
    manager.hears_nothing()
    retire(own_office, station)


def test_a_station_that_nobody_enrolled_is_ready_for_that(own_office, manager):
    station = own_office.station("eve", enrol=False)
    station.daemon.stop()
    station.daemon.start({"NOTIFY_SOCKET": manager.path})
    assert manager.hears() == b"READY=1"
    assert not json.loads(station.sealpost("--json", "status").stdout)["enrolled"]
    retire(own_office, station)


def test_who_cannot_start_never_says_ready(own_office, manager):
    daemon = own_office.services["creditd"]
    daemon.stop()
    state = own_office.path("creditd", "state")
    os.rename(state, state + ".away")
    try:
        daemon.start({"NOTIFY_SOCKET": manager.path})
        assert daemon.wait_gone(40)
        manager.hears_nothing()
    finally:
        shutil.rmtree(state, ignore_errors=True)
        os.rename(state + ".away", state)
        own_office.start_service("creditd")
