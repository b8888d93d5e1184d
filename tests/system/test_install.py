"""make install puts everything where Debian expects it, and what is there runs."""

import os
import subprocess

import pytest
from conftest import _build

PLACES = """
bin/sealpost
sbin/peerd
sbin/keyd
sbin/creditd
sbin/certd
share/man/man1/sealpost.1
share/man/man8/peerd.8
share/man/man8/keyd.8
share/man/man8/creditd.8
share/man/man8/certd.8
share/sealpost/keyd/001-register.sql
share/sealpost/keyd/002-tariff.sql
share/sealpost/keyd/roles.sql
share/sealpost/creditd/001-ledger.sql
share/sealpost/creditd/002-report.sql
share/sealpost/creditd/003-balance.sql
share/sealpost/creditd/roles.sql
share/sealpost/certd/roles.sql
share/bash-completion/completions/sealpost
share/doc/sealpost/architecture.md
share/doc/sealpost/operations.md
share/doc/sealpost/examples/peerd.conf
etc/sealpost/keyd.conf
etc/sealpost/creditd.conf
etc/sealpost/certd.conf
lib/systemd/system/sealpost-keyd.service
lib/systemd/system/sealpost-creditd.service
lib/systemd/system/sealpost-certd.service
lib/systemd/system/sealpost-peerd@.service
lib/systemd/user/sealpost-peerd.service
lib/sysusers.d/sealpost.conf
lib/tmpfiles.d/sealpost.conf
""".split()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("dest"))
    subprocess.run(["make", "-s", "-C", _build("SP_BUILD", "build-check"), "install", f"DESTDIR={folder}"], check=True,
                   capture_output=True)
    return os.path.join(folder, "usr/local")


def test_everything_is_where_it_belongs(installed):
    missing = [p for p in PLACES if not os.path.exists(os.path.join(installed, p))]
    assert not missing


def test_what_was_installed_runs(installed):
    for program in ("bin/sealpost", "sbin/peerd", "sbin/keyd"):
        done = subprocess.run([os.path.join(installed, program), "--version"], check=True, capture_output=True, text=True)
        assert done.stdout.split() == [os.path.basename(program), "(Sealpost)", "0.1.0"]
    sample = subprocess.run([os.path.join(installed, "sbin/keyd"), "--sample-config"], check=True, capture_output=True, text=True)
    assert "domain" in sample.stdout
