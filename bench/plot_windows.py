#!/usr/bin/python3
"""Plots what bench/rate_day prints: used against allowed requests over a simulated day.

usage: rate_day | plot_windows.py docs/rate-limits-day.png
Needs python3-matplotlib.
"""
import csv
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

KINDS = ("a minute", "an hour", "a day")
LIMITS = (200, 400, 2000)
LENGTHS = (60.0, 3600.0, 86400.0)
TITLES = {"alone": "alone on the team", "shared": "with others on the same budget"}
DAY_HOURS = 28
FIRST_MINUTES = 120


def read_days(source):
    """{day: [rows of window 0, 1, 2]}, each row (seconds, used, opened, accepted, refused)."""
    days = defaultdict(lambda: ([], [], []))
    for row in csv.DictReader(source):
        days[row["day"]][int(row["window"])].append(
            (float(row["seconds"]), int(row["used"]), float(row["opened"]), int(row["accepted"]), int(row["refused"]))
        )
    return days


def steps(rows, length, scale):
    """The count as a step line that falls to zero where a window ends."""
    times, counts = [0.0], [0]
    opened = None
    for seconds, used, opens, _, _ in rows:
        if opened is not None and opens != opened:
            times.append((opened + length) / scale)
            counts.append(0)
        opened = opens
        times.append(seconds / scale)
        counts.append(used)
    if opened is not None:
        times.append((opened + length) / scale)
        counts.append(0)
    return times, counts


def draw_window(axes, rows, kind, hours):
    scale = 3600.0 if hours else 60.0
    times, counts = steps(rows, LENGTHS[kind], scale)
    axes.step(times, counts, where="post", linewidth=0.9, color="tab:blue", label="used")
    axes.fill_between(times, counts, step="post", alpha=0.25, color="tab:blue")
    axes.axhline(LIMITS[kind], color="tab:red", linewidth=1, label=f"allowed {KINDS[kind]}: {LIMITS[kind]}")
    axes.set_xlim(0, DAY_HOURS if hours else FIRST_MINUTES)
    axes.set_ylim(0, LIMITS[kind] * 1.18)
    axes.set_xlabel("hours" if hours else "minutes")
    axes.set_ylabel(f"requests {KINDS[kind]}")
    axes.legend(loc="upper right", fontsize=7, ncol=2)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    days = read_days(sys.stdin)
    figure, grid = plt.subplots(3, len(days), figsize=(6.2 * len(days), 8.4), squeeze=False)
    for column, (name, windows) in enumerate(days.items()):
        last = max((rows[-1] for rows in windows if rows), key=lambda row: row[0])
        grid[0][column].set_title(f"{TITLES.get(name, name)}: {last[4]} of our requests refused", fontsize=10)
        for kind in range(3):
            draw_window(grid[kind][column], windows[kind], kind, hours=kind > 0)
    figure.tight_layout()
    figure.savefig(sys.argv[1], dpi=110)


if __name__ == "__main__":
    main()
