"""The post office itself: services, stations and how they come about.

    office = Office("/tmp/x", build="/path/to/build")
    office.create()                      everything but stations; running. credits=True: deliveries cost credits;
                                         certd=True: receipts are postmarked
    office.open_account("alice", 100)    an account with credits, which alice may draw on; its number
    alice = office.station("alice", "laptop")
    office.introduce()                   all stations enter each other in their books
    alice.sealpost("send", "--to", "bob@post.example", "/etc/hosts")
"""

import json
import os
import shutil
import subprocess
import threading

from .cluster import BIN, Cluster
from .process import Daemon, OfficeError, free_port

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOMAIN = "post.example"
TARIFF = "0:1,1000000:2"
SOCKET_MOST = 107    # bytes of a UNIX socket's path


class Station:
    """A home and its peerd."""

    def __init__(self, office, home, person, station, port, address, netns=None, user=None):
        self.office, self.home, self.person, self.station = office, home, person, station
        self.port, self.address, self.netns, self.user = port, address, netns, user
        prefix = ["nsenter", f"--net=/run/netns/{netns}"] if netns else []
        if user:
            prefix += ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups"]
        self.daemon = Daemon("peerd of " + os.path.basename(home), home,
                             [office.program("peerd/peerd"), "--home", home], env=office.daemon_env(home), prefix=prefix)
        self.prefix = prefix

    @property
    def name(self):
        return f"{self.person}@{DOMAIN}"

    @property
    def full_name(self):
        return f"{self.person}/{self.station}@{DOMAIN}"

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def start(self, **env):
        self.daemon.start(env)
        self.daemon.wait_until(self.ready, 30, "opened its control socket")

    def ready(self):
        done = self.sealpost("--json", "status", check=False)
        if done.returncode != 0:
            return False
        status = json.loads(done.stdout)
        return status["ready"] or not status["enrolled"]

    def sealpost(self, *words, check=True, **options):
        """Runs the sealpost command for this home; .returncode, .stdout, .stderr."""
        options.setdefault("text", True)
        done = subprocess.run([*self.prefix, self.office.program("peerd/cli/sealpost"), "--home", self.home, *words], check=False,
                              capture_output=True, env=self.office.daemon_env(), **options)
        if check and done.returncode != 0:
            raise OfficeError(f"sealpost {' '.join(words)} ended with {done.returncode}: {done.stderr}{done.stdout}")
        return done

    def json(self, *words, check=True):
        """The JSON objects that the command prints, one a line."""
        done = self.sealpost("--json", *words, check=check)
        return [json.loads(line) for line in done.stdout.splitlines()]


class Office:
    def __init__(self, folder, build, keyd_host="127.0.0.1", steered=False):
        """steered: daemons of test builds heed the files fault and clock in their folders, which may change while they run."""
        self.folder, self.build, self.steered = os.path.abspath(folder), os.path.abspath(build), steered
        self.facts_file = self.path("office.json")
        self.facts = {"stations": {}, "keyd_host": keyd_host}
        if os.path.exists(self.facts_file):
            with open(self.facts_file, encoding="utf-8") as f:
                self.facts = json.load(f)
        self.stations, self.saving = {}, threading.Lock()
        if "pg_port" in self.facts:
            self._know()

    # ---- where things are ----
    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def program(self, name):
        return os.path.join(self.build, name)

    def daemon_env(self, folder=None):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "NOTIFY_SOCKET"}
        env["PGPASSFILE"] = self.path("pgpass")
        if folder is not None and self.steered:
            env.update(SEALPOST_FAULT="@" + os.path.join(folder, "fault"), SEALPOST_CLOCK="@" + os.path.join(folder, "clock"))
        return env

    def conninfo(self, role):
        return f"host=127.0.0.1 port={self.cluster.port} dbname=sealpost user={role} passfile={self.path('pgpass')}"

    def _save(self):
        with self.saving:
            with open(self.facts_file + ".new", "w", encoding="utf-8") as f:
                json.dump(self.facts, f, indent=1)
            os.replace(self.facts_file + ".new", self.facts_file)

    def _know(self):
        self.cluster = Cluster(self.path("pg"), self.facts["pg_port"], self.path("pgpass"))
        self.services = {key[:-5]: self._daemon(key[:-5]) for key in self.facts if key.endswith("_port") and key != "pg_port"}
        for name, s in self.facts["stations"].items():
            self.stations[name] = Station(self, self.path(name), s["person"], s["station"], s["port"], s["address"],
                                          s["netns"], s.get("user"))

    def _daemon(self, name):
        role = name.rstrip("0123456789")     # creditd2 is a creditd
        return Daemon(name, self.path(name), [self.program(f"{role}/{role}"), "--config", self.path(name, f"{role}.conf")],
                      env=self.daemon_env(self.path(name)))

    # ---- making it ----
    def create(self, credits=False, certd=False):
        if os.path.exists(self.facts_file):
            raise OfficeError(f"{self.folder} holds a post office already; remove it, or start it with: ./demo --dir "
                              f"{self.folder} start")
        if len(self.path("some-station-name", "control")) > SOCKET_MOST:
            raise OfficeError(f"the path {self.folder} is too long for the sockets in it; choose a shorter one with --dir")
        os.makedirs(self.folder, mode=0o755, exist_ok=True)
        self.facts.update(pg_port=free_port(), keyd_port=free_port())
        self._know()
        self.cluster.create()
        self.cluster.start()
        self.cluster.sql("CREATE DATABASE sealpost", database="postgres")
        self._make_keyd()
        self._save()
        if credits:
            self.add_creditd(tariff=TARIFF)
        if certd:
            self.add_certd()
        self._write_env()

    def _settle_in(self, name, program, role, settings):
        """A service's folder, its roles in the database and its settings; schema and papers come next."""
        self.services[name] = self._daemon(name)
        os.makedirs(self.path(name, "state"), mode=0o700)
        schema = os.path.join(SOURCE, program, "schema")
        self.cluster.sql_file(os.path.join(schema, "roles.sql"))
        self.cluster.set_passwords()
        with open(self.path(name, f"{program}.conf"), "w", encoding="utf-8") as f:
            f.write(f'listen = "{"[::]" if ":" in self.facts["keyd_host"] else "0.0.0.0"}:{self.facts[name + "_port"]}";\nstate = "state";\n'
                    f'database = "{self.conninfo(role + "_daemon")}";\ndatabase_owner = "{self.conninfo(role + "_owner")}";\n'
                    f'schema_dir = "{schema}";\n{settings}\n')

    def _address(self, name):
        return f"{self.facts['keyd_host']}:{self.facts[name + '_port']}"

    def _make_keyd(self):
        self._settle_in("keyd", "keyd", "key", f'domain = "{DOMAIN}";\naddress = "{self._address("keyd")}";')
        for step in ("--init-root", "--migrate"):
            self.run("keyd", step)
        self.start_service("keyd")

    def add_creditd(self, settings="", tariff=None, name="creditd"):
        """A credit processor, in the roster and running. With tariff, deliveries cost credits. name: creditd2 … for further ones on
        the same ledger."""
        self.facts[f"{name}_port"] = free_port()
        self._settle_in(name, "creditd", "credit", settings)
        self.run(name, "--migrate")
        self.run(name, "--enrol", self.service_token("creditd", self._address(name), "main" if name == "creditd" else name))
        self.start_service(name)
        self._save()
        if tariff is not None:
            self.admin_sql(self.run(name, "--sign-tariff", tariff))

    def open_account(self, person, amount):
        """An account that this person may draw on, with credits; its number."""
        number = self.admin_sql(f"SELECT credit.admin_open_account('{person}@{DOMAIN}')")[0][0]
        self.admin_sql(f"SELECT credit.admin_deposit('{number}', {amount}, 'first deposit of {number}')")
        return number

    def allow(self, account, person):
        """This person may draw on the account, too."""
        self.admin_sql(f"SELECT credit.admin_allow('{account}', '{person}@{DOMAIN}')")

    def rich(self, station, number=100):
        """Gives a station credits, from an account of its person's own; the account's number."""
        account = self.open_account(station.person, number)
        station.sealpost("credits", "add", str(number), "--account", account)
        return account

    def add_certd(self, settings=""):
        """A receipt certification server and the tsa that signs its time-stamps, in the roster and running."""
        self.facts["certd_port"] = free_port()
        self._settle_in("certd", "certd", "cert", settings)
        address = self._address("certd")
        self.run("certd", "--migrate")
        if "creditd" in self.services:
            self.run("creditd", "--migrate")     # certd may settle from now on
        self.run("certd", "--enrol", self.service_token("certd", address), "--enrol-tsa", self.service_token("tsa", address))
        self.start_service("certd")
        self._save()

    def service_token(self, role, address, name="main"):
        """Enters a service into the roster."""
        return self.admin_sql(f"SELECT key.admin_service('{role}', '{name}', ARRAY['{address}'])")[0][0]

    def run(self, service, *words):
        """A service's program for one step, like --migrate."""
        d = self.services[service]
        done = subprocess.run([*d.command, *words], check=False, capture_output=True, text=True, env=self.daemon_env())
        if done.returncode != 0:
            raise OfficeError(f"{service} {' '.join(words)} failed: {done.stderr}")
        return done.stdout

    def start_service(self, name):
        d = self.services[name]
        before = len(d.log())
        d.start()
        d.wait_until(lambda: " ready " in d.log()[before:], 30, "said that it is ready")

    def admin_sql(self, text):
        """As the operator does it: psql, in the role post_admin."""
        return self.cluster.sql(f"SET ROLE post_admin; {text}")

    def _write_env(self):
        env = self.cluster.env("postgres")
        with open(self.path("env"), "w", encoding="utf-8") as f:
            f.write("# . this file, then: sealpost --home DIR/alice …, psql\n")
            paths = ":".join(self.program(p) for p in ("peerd", "peerd/cli", "keyd", "creditd", "certd"))
            f.write(f'export PATH="{paths}:{BIN}:$PATH"\n')
            for key, value in env.items():
                f.write(f'export {key}="{value}"\n')

    # ---- stations ----
    def station(self, name, person=None, station="desktop", on="127.0.0.1", netns=None, user=None, settings="", enrol=True):
        """A new station: home DIR/name, invited by the operator, enrolled. user: whom root runs it as."""
        if name in self.stations or not name.replace("-", "").replace("_", "").isalnum():
            raise OfficeError(f"{name} is there already, or no name for a folder")
        home, port = self.path(name), 7325 if netns or on not in ("127.0.0.1", "::1") else free_port()
        os.makedirs(home, mode=0o700)
        with open(os.path.join(home, "peerd.conf"), "w", encoding="utf-8") as f:
            f.write(f'bind = "{on}";\nport = {port};\n{settings}\n')
        if user:
            shutil.chown(home, user, "nogroup")
        s = Station(self, home, person or name, station, port, f"[{on}]:{port}" if ":" in on else f"{on}:{port}", netns, user)
        s.start()
        if enrol:
            token = self.invite(s.person, s.station)
            s.sealpost("enrol", token)
        self.stations[name] = s
        self.facts["stations"][name] = {"person": s.person, "station": station, "port": port, "address": s.address, "netns": netns,
                                        "user": user}
        self._save()
        return s

    def invite(self, person, station):
        return self.admin_sql(f"SELECT key.invite('{person}', '{station}', 'Example Post')")[0][0]

    def introduce(self, *names):
        """These stations (or all) enter each other in their books."""
        them = [self.stations[n] for n in (names or self.stations)]
        for a in them:
            for b in them:
                if a.person != b.person:
                    a.sealpost("book", "add", b.name, "--address", b.address)

    # ---- starting and stopping ----
    def parts(self):
        return ["pg", *self.services, *self.stations]

    def start(self, name=None):
        for part in self.parts() if name is None else [name]:
            if part == "pg":
                self.cluster.start()
            elif part in self.services:
                if not self.services[part].running():
                    self.start_service(part)
            elif part in self.stations:
                self.stations[part].start()
            else:
                raise OfficeError(f"there is no {part} here; there are {', '.join(self.parts())}")

    def stop(self, name=None):
        for part in reversed(self.parts()) if name is None else [name]:
            if part == "pg":
                self.cluster.stop()
            elif part in self.services:
                self.services[part].stop()
            elif part in self.stations:
                self.stations[part].daemon.stop()
            else:
                raise OfficeError(f"there is no {part} here; there are {', '.join(self.parts())}")

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)
