#!/usr/bin/python3
"""Draws what bench/run.py has measured.

usage: plot_speed.py bench.json docs/performance.png
Needs python3-matplotlib.
"""
import json
import statistics
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

OURS, OTHERS = "#1f6f8b", "#b9b9b9"
PARTS = (
    ("csv: csv loop alone", "bare CSV loop"),
    ("csv: plan", "plan of CSV"),
    ("jsonl: jsonl loop alone", "bare JSON loop"),
    ("jsonl: plan", "plan of JSONL"),
    ("parts: wrk, as many requests", "wrk, as many requests"),
    ("parts: bare ledger writes", "bare ledger writes"),
    ("import", "import"),
    ("results as CSV", "results as CSV"),
)


def columns(samples, name):
    """(wall, cpu, mib) by median, and the range of wall."""
    runs = samples[name]
    medians = [statistics.median(r[i] for r in runs) for i in range(3)]
    walls = [r[0] for r in runs]
    return medians, (min(walls), max(walls))


def draw_parts(ax, samples, rows):
    shown = [(name, label) for name, label in PARTS if name in samples]
    for at, (name, label) in enumerate(reversed(shown)):
        (wall, cpu, _), (low, high) = columns(samples, name)
        ours = not (label.startswith("bare") or label.startswith("wrk"))
        ax.barh(at + 0.2, wall, 0.38, color=OURS if ours else OTHERS, xerr=[[wall - low], [high - wall]], ecolor="#444444")
        ax.barh(at - 0.2, cpu, 0.38, color=OURS if ours else OTHERS, alpha=0.45)
    ax.set_yticks(range(len(shown)), [label for _, label in reversed(shown)])
    ax.set_xlabel("seconds: wall (solid, with range) and CPU (pale)")
    ax.set_title(f"{rows:,} rows, 50 groups")


def draw_growth(ax, samples):
    for what, style in (("plan", "o-"), ("import", "s-")):
        points = sorted(
            (int(name.rsplit(" ", 1)[1]), columns(samples, name)[0][1])
            for name in samples
            if name.startswith(f"growth: {what} ")
        )
        if points:
            ax.loglog(*zip(*points), style, color=OURS, alpha=1 if what == "plan" else 0.6, label=what)
    ax.set_xlabel("rows")
    ax.set_ylabel("CPU seconds")
    ax.set_title("growth")
    ax.grid(True, which="major", alpha=0.3)
    ax.legend()


def draw_memory(ax, samples):
    points = {"plan": [], "import": []}
    for name in samples:
        words = name.split()
        if len(words) == 4 and words[1] == "of" and words[3] == "rows" and words[0] in points:
            points[words[0]].append((int(words[2].replace(",", "")), columns(samples, name)[0][2]))
    for what, at in points.items():
        if at:
            ax.plot(*zip(*sorted(at)), "o-", color=OURS, alpha=1 if what == "plan" else 0.6, label=what)
    most = max((n for at in points.values() for n, _ in at), default=0)
    if most:
        ax.plot([0, most], [64, 64 + 32 * most / 1024 / 1024], "--", color="#777777", label="64 MiB + 32 bytes a row")
    ax.set_xlabel("rows")
    ax.set_ylabel("peak memory, MiB")
    ax.set_ylim(bottom=0)
    ax.set_title("memory")
    ax.grid(True, alpha=0.3)
    ax.legend()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as source:
        bench = json.load(source)
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.6), gridspec_kw={"width_ratios": [1.5, 1, 1]})
    draw_parts(axes[0], bench["samples"], bench["rows"])
    draw_growth(axes[1], bench["samples"])
    draw_memory(axes[2], bench["samples"])
    figure.tight_layout()
    figure.savefig(sys.argv[2], dpi=90)


if __name__ == "__main__":
    main()
