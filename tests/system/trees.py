"""Trees that are hard to copy, and the comparison of what was sent with what lies there."""

import os
import subprocess


def odd_tree(root):
    """Names of any bytes, empty files and folders, links of all kinds, times and modes, a sparse file. PK-16's list."""
    root = os.fsencode(root)
    os.makedirs(os.path.join(root, b"empty folder"))
    os.makedirs(os.path.join(root, b"deep", *[b"d%d" % i for i in range(40)]))
    files = {
        b"empty": b"", b"plain.txt": b"hello\n", b"white space \t.txt": b"1", b"new\nline": b"2", b"percent%20": b"3",
        b"\xff\xfe not utf-8": b"4", "übergröße ✓".encode(): b"5", b"-dash": b"6", b".hidden": b"7",
        b"x" * 255: b"8", b"deep/" + b"/".join([b"d%d" % i for i in range(40)]) + b"/leaf": b"9",
        b"cr\r": b"10", b"back\\slash": b"11", b"quote\"'`$": b"12", b"\x01control": b"13",
    }
    for name, content in files.items():
        with open(os.path.join(root, name), "wb") as f:
            f.write(content)
    with open(os.path.join(root, b"sparse"), "wb") as f:
        f.write(b"begin")
        f.seek(50 * 1024 * 1024)
        f.write(b"middle")
        f.truncate(90 * 1024 * 1024)
    os.link(os.path.join(root, b"plain.txt"), os.path.join(root, b"hard link"))
    os.symlink(b"plain.txt", os.path.join(root, b"link inside"))
    os.symlink(b"nowhere/at/all", os.path.join(root, b"dangling"))
    os.symlink(b"../" * 50 + b"etc/passwd", os.path.join(root, b"link outside"))
    os.symlink(b"/etc/passwd", os.path.join(root, b"link absolute"))
    os.chmod(os.path.join(root, b"plain.txt"), 0o640)
    os.chmod(os.path.join(root, b"-dash"), 0o755)
    os.chmod(os.path.join(root, b"empty folder"), 0o700)
    os.utime(os.path.join(root, b"empty"), ns=(0, 1_234_567_890_123_456_789))
    os.utime(os.path.join(root, b"-dash"), ns=(0, -86_400_000_000_000))
    os.utime(os.path.join(root, b"empty folder"), ns=(0, 1_000_000_000_000_000_001))
    return {b"link outside", b"link absolute"}


def entries(root):
    """Path (bytes, relative) -> what must be equal: type, mode, mtime in ns, link target or size."""
    found, root = {}, os.fsencode(root)
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            if os.path.islink(path):
                what = ("link", os.readlink(path))
            elif os.path.isdir(path):
                what = ("folder", st.st_mode & 0o777, st.st_mtime_ns)
            else:
                what = ("file", st.st_mode & 0o777, st.st_mtime_ns, st.st_size)
            found[os.path.relpath(path, root)] = what
    return found


def assert_same(sent, placed, left_out=frozenset()):
    """Types, modes, times, sizes, targets and every byte, but for the links that must have been left out."""
    a, b = entries(sent), entries(placed)
    for path in left_out:
        assert path in a and path not in b, f"{path!r} should have been left out"
        del a[path]
    assert set(a) == set(b), f"only one side has {sorted(set(a) ^ set(b))[:10]}"
    different = {p: (a[p], b[p]) for p in a if a[p] != b[p]}
    assert not different, f"different: {list(different.items())[:5]}"
    out = subprocess.run(["diff", "-r", "--no-dereference", sent, placed], check=False, capture_output=True).stdout
    odd = [line for line in out.splitlines() if not any(line.endswith(b": " + os.path.basename(p)) for p in left_out)]
    assert not odd, odd[:10]
