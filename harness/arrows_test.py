"""The table of harness/README.md is what the includes of the harness are: an include that it does not allow fails.

Also: workloads and allocators include nothing of the harness, but for tests.   Usage: arrows_test.py ROOT
"""
import re
import sys
from pathlib import Path

CONTRACT = "workloads/contract/"


def allowed_by(readme):
    """{folder: what it may include}; "all" is every folder of the table."""
    rows = re.findall(r"^\| `(\w+)/` \| .* \| ?(.*?) ?\|$", readme, re.MULTILINE)
    folders = [name for name, _ in rows]
    allowed = {name: re.findall(r"`([\w./]+)`", may) for name, may in rows}
    for name, may in rows:
        if may == "all":
            allowed[name] = folders
    return allowed


def includes_of(file):
    return re.findall(r'^#include "([^"]+)"', file.read_text(encoding="utf-8"), re.MULTILINE)


def is_test(path):
    return "test" in path.stem or "tests" in path.parts or path.stem.startswith("example_")


def wrong_includes(root, allowed):
    for file in sorted((root / "harness").rglob("*")):
        path = file.relative_to(root)
        if file.suffix not in (".h", ".cc") or is_test(path):
            continue
        folder = path.parts[1]
        may = [f"harness/{one}" if one.endswith(".h") else f"harness/{one}/" for one in [folder, *allowed[folder]]]
        for include in includes_of(file):
            if not include.startswith((CONTRACT, *may)):
                yield f"{path} includes {include}, which harness/README.md does not allow {folder}/"
    for top in ("workloads", "allocators"):
        for file in sorted((root / top).rglob("*")):
            path = file.relative_to(root)
            if file.suffix in (".h", ".cc", ".c") and not is_test(path):
                for include in includes_of(file):
                    if include.startswith("harness/"):
                        yield f"{path} includes {include}: {top}/ must not know the harness"


def main(root):
    allowed = allowed_by((root / "harness/README.md").read_text(encoding="utf-8"))
    folders = {one.name for one in (root / "harness").iterdir() if one.is_dir() and not one.name.startswith("__")}
    wrong = [f"harness/{name}/ has no row in harness/README.md" for name in sorted(folders - set(allowed))]
    if not wrong:
        wrong = list(wrong_includes(root, allowed))
    print("\n".join(wrong) or f"the arrows of {len(allowed)} folders hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
