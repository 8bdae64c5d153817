"""Plans large files of every kind and measures the program's memory.

Each file is made from a seed, read by `taskbarge plan`, held against what was put into it, and deleted. Peak memory is
what the system counted for the child (ru_maxrss). Fails when a count is wrong, or when the memory grew by more than the
bytes a row that finding duplicates needs.
"""
import argparse
import json
import os
import subprocess
import sys

USER = "66302798d03b9601c7934ebf"
GROUPS = 50            # different due dates
CHUNK = 100
BYTES_A_ROW = 40       # docs/preparing-a-file.md: finding duplicates needs at most 32
ALLOWANCE = 24 << 20   # what else may differ between runs: blocks, batches, open chunks
BASELINE = 80 << 20    # of the smallest file: the program, its libraries and two blocks under way
HEADER = "contact_id,user_id,type,priority,status,due_at,note\n"
LONG_NOTE = "Ask about the renewal and send the new price list. " * 20


def csv_row(number, due, note):
    return f"{number:024x},{USER},call,high,scheduled,{due},{note}\n"


def json_row(number, due, note):
    return (f'{{"contact_id":"{number:024x}","user_id":"{USER}","type":"call","priority":"high",'
            f'"status":"scheduled","due_at":"{due}","note":"{note}"}}\n')


class kind:
    """One shape of file."""

    def __init__(self, name, ending, row, note="Ask about the renewal", newline=True, pack=None):
        self.name, self.ending, self.row = name, ending, row
        self.note, self.newline, self.pack = note, newline, pack


KINDS = [
    kind("CSV", ".csv", csv_row),
    kind("CSV, no last newline", ".csv", csv_row, newline=False),
    kind("CSV, long notes", ".csv", csv_row, note=LONG_NOTE),
    kind("CSV, long notes, no last newline", ".csv", csv_row, note=LONG_NOTE, newline=False),
    kind("JSONL", ".jsonl", json_row),
    kind("JSONL, no last newline", ".jsonl", json_row, newline=False),
    kind("CSV, gzip", ".csv.gz", csv_row, pack="gzip"),
    kind("JSONL, zstd", ".jsonl.zst", json_row, pack="zstd"),
]


def blocks_of(shape, size):
    """The file's bytes in blocks, and at last the number of rows."""
    dues = [f"2027-02-{1 + g % 28:02}T{9 + g // 28:02}:00:00Z" for g in range(GROUPS)]
    written, rows = 0, 0
    block = [HEADER] if shape.row is csv_row else []
    while written < size:
        for _ in range(1_000):  # small blocks: what this program holds counts for its children, too
            block.append(shape.row(rows + 1, dues[rows % GROUPS], shape.note))
            rows += 1
        bytes_ = "".join(block).encode()
        written += len(bytes_)
        if written >= size and not shape.newline:
            bytes_ = bytes_[:-1]
        yield bytes_, rows
        block = []


def write(shape, size, path):
    rows = 0
    packer = subprocess.Popen([shape.pack, "-1", "-c"], stdin=subprocess.PIPE, stdout=open(path, "wb")) if shape.pack else None
    out = packer.stdin if packer else open(path, "wb")
    with out:
        for bytes_, rows in blocks_of(shape, size):
            out.write(bytes_)
    if packer and packer.wait() != 0:
        sys.exit(f"{shape.pack} failed")
    return rows


def plan(program, path):
    """What the program says, its peak memory in bytes and its seconds."""
    command = [program, "plan", "--json", "--quiet", "--set", f"import.chunk_size={CHUNK}", path]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"], "HOME": os.path.dirname(path)})
    said = child.stdout.read()
    child.stdout.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {child.returncode}: {said.decode()}")
    return json.loads(said), usage.ru_maxrss * 1024


def expected_requests(rows):
    each, more = divmod(rows, GROUPS)
    return sum(-(-(each + (1 if g < more else 0)) // CHUNK) for g in range(GROUPS))


def measure(program, shape, size, folder):
    path = os.path.join(folder, f"contacts{shape.ending}")
    try:
        rows = write(shape, size, path)
        stored = os.path.getsize(path)
        said, peak = plan(program, path)
    finally:
        if os.path.exists(path):
            os.unlink(path)
    if (said["rows"], said["pending"], said["minimum_requests"]) != (rows, rows, expected_requests(rows)):
        sys.exit(f"{shape.name}: {rows} rows in {expected_requests(rows)} requests were written, it says {said}")
    return rows, stored, peak, said["elapsed_seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--folder", required=True, help="where files are made, and deleted at once")
    parser.add_argument("sizes", nargs="+", type=int, metavar="MB", help="plain sizes, smallest first")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    program = os.path.abspath(options.program)
    grew = []
    print(f"{'file':<34} {'plain MB':>8} {'stored MB':>9} {'rows':>11} {'seconds':>8} {'peak MB':>8} {'bytes a row':>11}")
    for shape in KINDS:
        first = None
        for size in options.sizes:
            rows, stored, peak, seconds = measure(program, shape, size * 1_000_000, os.path.abspath(options.folder))
            a_row = ""
            if first is None:
                first = (rows, peak)
                if peak > BASELINE:
                    grew.append(f"{shape.name}, {size} MB: {peak} bytes")
            elif rows > first[0]:
                more = peak - first[1]
                a_row = f"{max(more, 0) / (rows - first[0]):.0f}"
                if more > ALLOWANCE + BYTES_A_ROW * (rows - first[0]):
                    grew.append(f"{shape.name}, {size} MB: {more} bytes more for {rows - first[0]} rows more")
            print(f"{shape.name:<34} {size:>8,} {stored / 1e6:>9,.0f} {rows:>11,} {seconds:>8.1f} {peak / 1e6:>8.0f} {a_row:>11}",
                  flush=True)
    for line in grew:
        print(f"memory grew too much: {line}", file=sys.stderr)
    sys.exit(1 if grew else 0)


if __name__ == "__main__":
    main()
