"""./demo: makes a post office in a folder, sends a real tree and a large file from alice to bob, and shows what came of it.
Also starts and stops an office that was kept, and adds stations to it."""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time

if __package__ is None:
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from office.office import DOMAIN, Office      # noqa: E402
from office.process import OfficeError        # noqa: E402

LARGE = 512 * 1024 * 1024
DEPOSIT = 1000      # credits on each account
TOPUP = 25

USAGE = """./demo [--dir DIR] [--keep] [PATH…]           build, make a post office, deliver PATH (default: a real tree and a
                                              large file), show the receipt; then stop it, unless --keep
./demo --dir DIR start|stop [NAME]            an office that was kept: start or stop all of it, pg, a service, a station
./demo --dir DIR station NAME [--on ADDRESS] [--netns NS]
                                              one more station: enrolled, in everybody's book, with an account"""


def say(text=""):
    print(text, flush=True)


def heading(text):
    say(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}")


def show(command, env, cwd=None):
    """Runs a command as a user would type it, with what it prints."""
    say(f"$ {command}")
    done = subprocess.run(["bash", "-c", command], check=False, env=env, cwd=cwd)
    if done.returncode != 0:
        raise OfficeError(f"that ended with {done.returncode}")


def default_paths(office):
    """A tree that every Debian machine has, and a file of half a GiB that does not compress."""
    tree = "/usr/share/doc" if os.path.isdir("/usr/share/doc") else "/usr/include"
    large = office.path("large.bin")
    with open(large, "wb") as f, open("/dev/urandom", "rb") as random:
        block = random.read(8 * 1024 * 1024)
        for number in range(LARGE // len(block)):
            f.write(number.to_bytes(8, "big"))
            f.write(block[8:])
    return [tree, large]


def compare(paths, placed):
    """diff -r of what was sent and what lies there; links that point outside their packet are left out on purpose."""
    for path in paths:
        there = os.path.join(placed, os.path.basename(path.rstrip("/")))
        out = subprocess.run(["diff", "-r", "--no-dereference", path, there], check=False, capture_output=True, text=True,
                             errors="replace").stdout.splitlines()
        odd = [line for line in out if not is_link_left_out(line, path)]
        if odd:
            raise OfficeError("the trees differ:\n" + "\n".join(odd[:20]))
        say(f"  {path}: identical" + (f", but for {len(out)} links that point outside the tree" if out else ""))


def is_link_left_out(line, path):
    if not line.startswith("Only in ") or ": " not in line:
        return False
    folder, name = line[len("Only in "):].split(": ", 1)
    return folder.startswith(path.rstrip("/")) and os.path.islink(os.path.join(folder, name))


def deliver(office, paths, account):
    env = {**os.environ, **{"PATH": ":".join(office.program(p) for p in ("peerd", "peerd/cli", "keyd")) + ":" + os.environ["PATH"]}}
    alice, bob = office.stations["alice"], office.stations["bob"]
    heading("Alice buys credits")
    show(f"sealpost --home {shlex.quote(alice.home)} credits add {TOPUP} --account {account}", env)
    heading("Alice sends")
    begin = time.monotonic()
    words = " ".join(shlex.quote(p) for p in paths)
    show(f"sealpost --home {shlex.quote(alice.home)} send --to {bob.name} -m 'With greetings from the demo' {words}", env)
    say(f"  {time.monotonic() - begin:.1f} seconds from the order to the postmarked receipt")
    show(f"sealpost --home {shlex.quote(alice.home)} credits", env)
    heading("Bob has it")
    show(f"sealpost --home {shlex.quote(bob.home)} log", env)
    placed = bob.json("log", "--received")[0]["placed"]
    say(f"  {placed}")
    heading("Is it the same?")
    compare(paths, placed)
    heading("The receipt, checked by sealpost and by stock openssl")
    receipt = alice.json("log", "--sent")[0]["receipt_file"]
    show(f"sealpost --home {shlex.quote(alice.home)} verify {shlex.quote(receipt)}", env)
    check_with_openssl(office, alice, receipt, env)


def books_balance(office):
    """The operator's view: what was sold, spent and settled, and that the ledger's invariants hold."""
    heading("The operator's books")
    for name, ok, detail in office.admin_sql("SELECT name, ok, detail FROM credit.check()"):
        if ok != "t":
            raise OfficeError(f"credit.check() says of {name}: {detail}")
    say("  credit.check(): every invariant of the ledger holds")


def check_with_openssl(office, alice, receipt, env):
    """The commands are those that the command itself prints; they run in an empty folder and must all succeed."""
    commands = alice.sealpost("receipt", "show", "--openssl", receipt).stdout
    folder = office.path("openssl")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for line in commands.splitlines():
        if line and not line.startswith("#"):
            show(line, env, cwd=folder)


def make(office, args):
    if os.path.exists(office.facts_file) and not args.dir_given:
        office.remove()      # the last demo's, in our own default folder
        office = Office(office.folder, office.build)
    heading(f"A post office for {DOMAIN} in {office.folder}")
    office.create(credits=True, certd=True)
    say("  PostgreSQL, keyd, creditd and certd are running")
    accounts = {}
    for name, station in (("alice", "laptop"), ("bob", "desktop")):
        office.station(name, station=station, on=args.on, netns=args.netns)
        accounts[name] = office.open_account(name, DEPOSIT)
        say(f"  {office.stations[name].full_name} was invited and has enrolled; account {accounts[name]} with {DEPOSIT} credits")
    office.introduce()
    say("  they have entered each other in their books")
    paths = [os.path.join(args.from_dir, p) for p in args.words] or default_paths(office)
    for p in paths:
        if not os.path.lexists(p):
            raise OfficeError(f"there is no {p}")
    try:
        deliver(office, paths, accounts["alice"])
        books_balance(office)
    finally:
        if not args.keep:
            office.stop()
    heading("Done")
    if args.keep:
        say(f"The office is still running. Go on with:\n  . {office.path('env')}\n"
            f"  sealpost --home {office.path('alice')} status\n  psql -c 'SELECT * FROM key.v_station'\n"
            f"  ./demo --dir {office.folder} stop")
    else:
        say(f"The office is stopped; its folder stays: {office.folder} (./demo --keep leaves it running)")


def main():
    p = argparse.ArgumentParser(prog="./demo", usage=USAGE, add_help=True)
    p.add_argument("--dir")
    p.add_argument("--keep", action="store_true")
    p.add_argument("--on", default="127.0.0.1")
    p.add_argument("--netns")
    p.add_argument("--build", default="build", help=argparse.SUPPRESS)
    p.add_argument("--from", dest="from_dir", default=os.getcwd(), help=argparse.SUPPRESS)
    p.add_argument("words", nargs="*")
    args = p.parse_args()
    args.dir_given = args.dir is not None
    office = Office(os.path.join(args.from_dir, args.dir) if args.dir else "demo.d", args.build)
    verb = args.words[0] if args.words and args.dir_given else None
    if verb in ("start", "stop"):
        getattr(office, verb)(args.words[1] if len(args.words) > 1 else None)
    elif verb == "station" and len(args.words) == 2:
        s = office.station(args.words[1], on=args.on, netns=args.netns)
        office.introduce()
        say(f"{s.full_name} has enrolled: sealpost --home {s.home} …")
        if "creditd" in office.services:
            say(f"its account is {office.open_account(s.person, DEPOSIT)}: sealpost --home {s.home} credits add {TOPUP} "
                "--account NUMBER")
    else:
        make(office, args)


if __name__ == "__main__":
    try:
        main()
    except OfficeError as e:
        sys.exit(f"demo: {e}")
