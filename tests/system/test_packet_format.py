"""The packet's formats, read by programs that share no code with ours: GNU tar, Python's tarfile, sha256sum, split with
openssl, and a reader written from docs/formats.md alone."""

import hashlib
import io
import os
import pathlib
import random
import re
import stat
import subprocess
import sys
import tarfile

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/readers"))
import packet_reader as reader  # noqa: E402

TOOL = os.path.abspath(os.path.join(os.environ.get("SP_BUILD", "."), "tests/packet/layout_tool"))
HEAD = (b"sealpost-manifest 1\nkind files\nsalt " + bytes(range(32)).hex().encode() + b"\nperson alice@post.example\n"
        b"station alice/laptop@post.example\norganisation \ntitle t\nmessage \n\n")


def tool(verb, path, ok=True):
    done = subprocess.run([TOOL, verb, path], capture_output=True, check=False, timeout=120)
    assert (done.returncode == 0) == ok, done.stderr
    return done.stdout


def gnu_tar(*args, locale="C"):
    """GNU tar in a locale that takes any byte; nothing to say but that it doesn't know hdrcharset, and on odd times."""
    env = dict(os.environ, LC_ALL=locale, TZ="UTC")
    done = subprocess.run(["tar", "--warning=no-unknown-keyword", "--warning=no-timestamp", *args], env=env, capture_output=True, check=False,
                          timeout=300)
    assert done.returncode == 0 and done.stderr == b"", done.stderr
    return done.stdout


def put(folder, name, content=b"", mode=0o644, mtime=1700000000.0):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(content)
    os.chmod(path, mode)
    os.utime(path, (mtime, mtime))


@pytest.fixture(scope="module", name="tree")
def make_tree(tmp_path_factory):
    """Names of any bytes, empty files and folders, links of both kinds, long paths, odd sizes, modes and times."""
    root = bytes(tmp_path_factory.mktemp("tree") / "a tree")
    os.mkdir(root)
    for i in range(1, 256):
        if i != ord("/"):
            put(root, b"byte-" + bytes([i]) + b"-", b"%d" % i)
    for size in (0, 1, 511, 512, 513, 1023, 1024, 1025, 70000):
        put(root, b"size %d" % size, bytes(i * 7 % 251 for i in range(size)))
    for mode in (0o400, 0o600, 0o644, 0o755, 0o777, 0o1644, 0o4755, 0o2755):
        put(root, b"mode-%o" % mode, mode=mode)
    for mtime in (0, 1, -1, -1.5, 8589934591, 8589934592, 1700000000.75):
        put(root, b"time %d" % int(mtime * 100), mtime=mtime)
    for name in ("été", "日本語", "emoji 😀", "-rf", "...", "..a", "a\nb", "%41", "\\n"):
        put(root, name.encode(), name.encode())
    for name in (b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"):
        put(root, name, b"not UTF-8")
    os.makedirs(os.path.join(root, b"empty/folders/here"))
    deep = root
    for i in range(6):
        deep = os.path.join(deep, b"%d" % i * 90)
        os.mkdir(deep)
        put(deep, b"file" + b"x" * 200, b"deep %d" % i)
    for n in range(80, 110):
        put(root, b"n" * n, b"%d" % n)
        os.symlink(b"t" * n, os.path.join(root, b"link to %d" % n))
    os.link(os.path.join(root, b"size 513"), os.path.join(root, b"zz other name"))
    os.link(os.path.join(deep, b"file" + b"x" * 200), os.path.join(root, b"zz short name of a deep one"))
    os.link(os.path.join(root, b"\xff\xfe"), os.path.join(root, b"zz \xfe"))
    for target in (b"a", b"..", b"../../x", b"/etc/passwd", b"\xff", "é".encode(), b"a b\n", b"x/" * 1000):
        os.symlink(target, os.path.join(root, b"sym " + target.replace(b"/", b"_")[:60]))
    for folder, _, _ in os.walk(root, topdown=False):
        os.utime(folder, (1600000000, 1600000000))
    return root


def describe(root):
    """What a packet keeps of everything below root: path -> type, mode, seconds, content or target; and what is one file."""
    out, names = {}, {}
    paths = [root] + [os.path.join(d, n) for d, dirs, files in os.walk(root) for n in dirs + files]
    for path in paths:
        st = os.lstat(path)
        name = os.path.relpath(path, os.path.dirname(root))
        kind = stat.S_IFMT(st.st_mode)
        content = os.readlink(path) if kind == stat.S_IFLNK else b""
        if kind == stat.S_IFREG:
            with open(path, "rb") as f:
                content = hashlib.sha256(f.read()).digest()
            names.setdefault(st.st_ino, set()).add(name)
        out[name] = (kind, st.st_mode & 0o777, st.st_mtime_ns // 10**9, content)
    return out, sorted(sorted(n) for n in names.values())


@pytest.fixture(scope="module", name="packet")
def make_packet(tree, tmp_path_factory):
    path = tmp_path_factory.mktemp("packet") / "packet.tar"
    path.write_bytes(tool("tar", tree))
    return path


def test_pk16_gnu_tar_extracts_the_same_tree(tree, packet, tmp_path):
    gnu_tar("-xpf", packet, "-C", tmp_path)
    assert (tmp_path / ".sealpost-manifest").read_bytes() == tool("manifest", tree)
    assert describe(os.path.join(bytes(tmp_path), b"a tree")) == describe(tree)


def test_pk16_any_bytes_in_a_utf8_locale_too(tree, packet, tmp_path):
    gnu_tar("-xpf", packet, "-C", tmp_path, locale="C.UTF-8")
    assert describe(os.path.join(bytes(tmp_path), b"a tree")) == describe(tree)


def gnu_starts(packet):
    """Where GNU tar says that members' ustar headers begin."""
    listed = gnu_tar("-tRf", packet, "--quoting-style=escape")
    return [512 * int(n) for n in re.findall(rb"^block (\d+): (?!\*\*)", listed, re.M)]


def test_pk02_gnu_tar_agrees_with_every_offset(tree, packet):
    members = reader.layout(reader.Manifest(tool("manifest", tree)))
    assert gnu_starts(packet) == [m.data - 512 for m in members[:-1]]
    assert packet.stat().st_size == members[-1].end


def test_pk02_tarfile_agrees_with_every_offset(tree, packet):
    members = reader.layout(reader.Manifest(tool("manifest", tree)))
    with tarfile.open(packet, encoding="utf-8", errors="surrogateescape") as tar:
        infos = tar.getmembers()
    assert [(i.offset, i.offset_data) for i in infos] == [(m.start, m.data) for m in members[:-1]]
    paths = [os.fsencode(i.name) if not i.pax_headers.get("hdrcharset") else None for i in infos[1:]]
    assert all(p in (None, m.entry.path) for p, m in zip(paths, members[1:-1]))


def test_pk02_the_reader_agrees_with_every_byte(tree, packet):
    text = tool("manifest", tree)
    assert tool("offsets", tree) == reader.offsets(reader.Manifest(text))
    with open(packet, "rb") as f:
        manifest, prints = reader.check_tar(f)
    assert manifest.text == text
    assert manifest.commitment() == hashlib.sha256(text).hexdigest()
    assert reader.read_prints(tool("prints", tree), manifest) == prints


def test_pk02_files_txt_is_what_the_reader_expects(tree, packet):
    with open(packet, "rb") as f:
        manifest, prints = reader.check_tar(f)
    by_path = dict(zip((e.path for e in manifest.entries if e.type == b"f"), prints))
    salt, lines = reader.read_files(tool("files", tree))
    assert salt == manifest.salt
    assert lines == [(e.path, file.size, by_path[file.path], file.mtime) for e, file in manifest.files()]
    assert len(lines) > len(prints)


def test_the_reader_sees_every_kind_of_damage(packet):
    whole = packet.read_bytes()
    reader.check_tar(io.BytesIO(whole))
    for broken in (whole[:-1], whole + b"\0", whole[:512] + b"x" + whole[513:], b"x" + whole[1:], whole[:-1] + b"x"):
        with pytest.raises(reader.Refused):
            reader.check_tar(io.BytesIO(broken))


# --- manifests without files

def line(kind, path, size=0, target=None, mode=b"644", mtime=b"1.000000000"):
    words = [kind, b"777" if kind == b"l" else mode, mtime, b"%d" % size, reader.escape(path)]
    return b" ".join(words + ([reader.escape(target)] if target is not None else [])) + b"\n"


def same_layout(tmp_path, text):
    path = tmp_path / "manifest"
    path.write_bytes(text)
    manifest = reader.Manifest(text)
    assert tool("offsets-of", path) == reader.offsets(manifest)
    assert tool("known-of", path) == reader.known_bytes(manifest)
    count, paths = reader.links_outside(manifest)
    assert tool("links-of", path) == b"%d %s\n" % (count, paths.encode())


def test_pk16_sizes_and_times_at_their_limits(tmp_path):
    sizes = (0, 1, 512, 2**31, 2**32 + 1, 2**33 - 1, 2**33, 2**33 + 1, 2**40, 2**61)
    times = (b"0", b"-1", b"8589934591", b"8589934592", b"9223372036854775807", b"-9223372036854775808")
    text = HEAD + b"".join(line(b"f", b"%02d" % i, s) for i, s in enumerate(sizes))
    text += b"".join(line(b"d", b"t%d" % i, mtime=t + b".999999999") for i, t in enumerate(times))
    same_layout(tmp_path, text)


def test_pk16_gnu_tar_lists_a_packet_with_a_file_over_8_gib(tmp_path):
    text = HEAD + line(b"f", b"a", 9 * 2**30 + 1) + line(b"f", b"b", 0)
    (tmp_path / "manifest").write_bytes(text)
    manifest = reader.Manifest(text)
    known = io.BytesIO(tool("known-of", tmp_path / "manifest"))
    with open(tmp_path / "sparse.tar", "wb") as f:
        for m in reader.layout(manifest):
            f.seek(m.start)
            f.write(known.read(m.data - m.start))
            if m.start == 0:
                f.write(known.read(m.length))
            f.seek(m.data + m.length)
            f.write(known.read(m.end - m.data - m.length))
    assert known.read() == b""
    listed = gnu_tar("-tvf", tmp_path / "sparse.tar").split()
    assert b"9663676417" in listed and listed[-1] == b"b"


def random_text(rng):
    """A manifest with paths, targets and sizes near all borders."""
    alphabet = [b"a", b"b", b"-", b" ", b"%", b"\n", b"\x7f", b"\xff", "é".encode(), b"."]
    entries, folders, files = {}, [b""], []
    for _ in range(40):
        part = b"".join(rng.choices(alphabet, k=rng.choice([1, 2, 3, 48, 99, 100, 101, 120])))
        path = rng.choice(folders) + b"n" + part[:254]
        kind = rng.choice([b"f", b"f", b"d", b"l"])
        if path in entries or len(path) > 4000 or path.count(b"/") > 200:
            continue
        entries[path] = (kind, rng.choice([0, 1, 511, 512, 513, 2**33 - 1, 2**33, 2**40]) if kind == b"f" else 0,
                         b"".join(rng.choices([b"../", b"x", b"/", b"\xff"], k=rng.randrange(1, 60))))
        if kind == b"d":
            folders.append(path + b"/")
    text = HEAD
    for path in sorted(entries, key=reader.order):
        kind, size, target = entries[path]
        if kind == b"f" and files and rng.random() < 0.3:
            text += line(b"h", path, 0, rng.choice(files))
            continue
        files += [path] if kind == b"f" else []
        text += line(kind, path, size, target if kind == b"l" else None)
    return text


@pytest.mark.parametrize("seed", range(12))
def test_pk16_random_manifests_have_one_layout(tmp_path, seed):
    same_layout(tmp_path, random_text(random.Random(seed)))


def mutated(rng, text):
    at = rng.randrange(len(text))
    other = rng.choice([bytes([rng.randrange(256)]), b"", b"\n", b" ", b"%20", b"%2F", b"0", b"/", b"..", text[at:at + 1] * 2,
                        bytes([text[at] ^ 1]), bytes([text[at] ^ 4])])
    return text[:at] + other + text[at + 1:]


def test_tool_and_reader_refuse_the_same_manifests(tmp_path):
    rng = random.Random(7)
    small = HEAD + line(b"d", b"d") + line(b"f", b"d/% x", 12) + line(b"h", b"d/y", 0, b"d/% x") + line(b"l", b"z", 0, b"../q")
    taken = refused = 0
    for _ in range(500):
        text = mutated(rng, small)
        if text == small:
            continue
        path = tmp_path / "manifest"
        path.write_bytes(text)
        try:
            reader.Manifest(text)
        except reader.Refused:
            tool("parse", path, ok=False)
            refused += 1
        else:
            assert tool("parse", path) == text
            taken += 1
    assert taken > 15 and refused > 100


# --- fingerprints

def sha256sum(path):
    return subprocess.run(["sha256sum", path], capture_output=True, check=True, timeout=60).stdout.split()[0].decode()


def stock_blocks(path):
    command = "split -b 1M --filter='openssl dgst -sha256 -binary' \"$1\" | sha256sum"
    return subprocess.run(["sh", "-c", command, "sh", path], capture_output=True, check=True,
                          timeout=120).stdout.split()[0].decode()


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**26 - 1, 2**26, 2**26 + 1, 2**26 + 2**20, 2**26 + 2**20 + 5])
def test_pk16_fingerprints_are_those_of_stock_tools(tmp_path, size):
    folder = tmp_path / "f"
    folder.mkdir()
    with open(folder / "x", "wb") as f:
        f.write(b"begin"[:size])
        f.truncate(size)
        f.seek(max(size - 3, 0))
        f.write(b"end"[:size])
    want = "sha256:" + sha256sum(folder / "x") if size <= 2**26 else "sha256-1m:" + stock_blocks(folder / "x")
    with open(folder / "x", "rb") as f:
        assert reader.fingerprint(f, size) == want
    assert tool("prints", folder).decode() == f"sealpost-prints 1\n\n{want}\n"


# --- the documentation's example

def test_the_example_in_the_documentation_is_true(tmp_path):
    page = (SOURCE / "docs/formats.md").read_bytes()
    blocks = {k: re.search(rb"```" + k + rb"\n(.*?)```", page, re.S)[1] for k in (b"manifest", b"offsets", b"files")}
    manifest = reader.Manifest(blocks[b"manifest"])
    (tmp_path / "manifest").write_bytes(manifest.text)
    assert f"manifest of {len(manifest.text)} bytes, SHA-256 `{manifest.commitment()}`".encode() in page
    assert f"a tar of {reader.layout(manifest)[-1].end:,} bytes".encode() in page
    assert reader.offsets(manifest) == blocks[b"offsets"] == tool("offsets-of", tmp_path / "manifest")
    contents = {b"letters/first letter": b"Dear Bob,\n\n"}
    _, lines = reader.read_files(blocks[b"files"])
    assert lines == [(e.path, f.size, "sha256:" + hashlib.sha256(contents.get(f.path, b"")).hexdigest(), f.mtime)
                     for e, f in manifest.files()]
