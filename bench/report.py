#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The table, the JSON and the charts of what bench/run has measured.

	report.py BENCH-FOLDER OUTPUT-FOLDER FINAL-FOLDER QUICK CPU REALTIME

Reads and writes OUTPUT-FOLDER, which becomes FINAL-FOLDER: that is named to the reader.
See bench/README.md for the formats.
"""

import datetime
import fnmatch
import json
import os
import platform
import re
import shutil
import subprocess
import sys

FIELDS = ("group", "subject", "candidate", "reference", "unit", "median", "low", "high", "limit")


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                yield line.split("\t")


def number(text):
    return float(text) if text else None


def read_results(path):
    """Those of one subject stand together, in the order in which they came."""
    results = []
    for row in rows_of(path):
        result = dict(zip(FIELDS, row + [""] * len(FIELDS)))
        for field in ("median", "low", "high"):
            result[field] = number(result[field])
        results.append(result)
    subjects = list(dict.fromkeys((r["group"], r["subject"]) for r in results))
    return sorted(results, key=lambda r: subjects.index((r["group"], r["subject"])))


# ------------------------------------------------------------------ limits ----


def limit_of(result, limits):
    for group, subject, candidate, unit, limit in limits:
        if (
            group == result["group"]
            and unit == result["unit"]
            and fnmatch.fnmatchcase(result["subject"], subject)
            and fnmatch.fnmatchcase(result["candidate"], candidate)
        ):
            return limit
    return ""


def is_held(result):
    """Whether the limit is held; None without one."""
    relation = re.match(r"(<=|>=|~)(.*)", result["limit"])
    if not relation:
        return None
    bound = float(relation[2])
    if relation[1] == "<=":
        return result["median"] <= bound
    if relation[1] == ">=":
        return result["median"] >= bound
    low = result["low"] if result["low"] is not None else result["median"]
    return low <= bound


def judge(results, limits):
    for result in results:
        result["limit"] = result["limit"] or limit_of(result, limits)
        result["held"] = is_held(result)


# ------------------------------------------------------------------- table ----


def figure(value, unit):
    if value is None:
        return ""
    return f"{value:.3f}" if unit == "ratio" or value < 100 else f"{value:.0f}"


def interval(result):
    if result["low"] is None or result["high"] is None:
        return ""
    return f"[{figure(result['low'], result['unit'])}, {figure(result['high'], result['unit'])}]"


def verdict(result):
    return {None: "", True: "held", False: "MISSED"}[result["held"]]


def line_of(result):
    unit = "" if result["unit"] == "ratio" else result["unit"]
    return (
        f"  {result['candidate'][:36]:36} {figure(result['median'], result['unit']):>9} "
        f"{interval(result):18} {unit:9} {result['limit']:8} {verdict(result)}"
    ).rstrip()


def is_shown(result, with_ratios):
    """Ratios, what has a limit, and what the ratios are to."""
    return (
        result["unit"] == "ratio"
        or result["limit"]
        or (result["group"], result["subject"], result["candidate"]) not in with_ratios
    )


def print_table(results):
    with_ratios = {
        (r["group"], r["subject"], r["candidate"]) for r in results if r["unit"] == "ratio"
    }
    heading = None
    for result in results:
        if not is_shown(result, with_ratios):
            continue
        if (result["group"], result["subject"]) != heading:
            heading = (result["group"], result["subject"])
            to = f", ratios to {result['reference']}" if result["reference"] else ""
            print(f"{result['group']}: {result['subject']}{to}")
        print(line_of(result))


def print_limits(results):
    limited = [r for r in results if r["limit"]]
    if not limited:
        return
    print("\nMust hold:")
    for result in limited:
        print(
            f"  {verdict(result):7} {result['limit']:8} {figure(result['median'], result['unit']):>7} "
            f"{interval(result):16} {result['group']}: {result['subject']}, {result['candidate']}"
        )


# -------------------------------------------------------------------- JSON ----


def output_of(*command):
    try:
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def field_of(path, name):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith(name):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return None


def machine():
    return {
        "processor": field_of("/proc/cpuinfo", "model name") or platform.processor(),
        "processors": os.cpu_count(),
        "memory": field_of("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "compiler": (output_of(os.environ.get("CC", "cc").split()[0], "--version") or "")
        .split("\n")[0],
    }


def document(bench, out, quick, cpu, realtime, results):
    tree = os.path.dirname(bench)
    return {
        "schema": 1,
        "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "version": output_of("git", "-C", tree, "describe", "--always", "--dirty"),
        "quick": quick == "yes",
        "machine": machine(),
        "pinned": None if cpu == "none" else int(cpu),
        "realtime": realtime != "no",
        "peers": [
            dict(zip(("name", "package", "version"), row)) for row in rows_of(f"{out}/peers.tsv")
        ],
        "skipped": [dict(zip(("what", "why"), row)) for row in rows_of(f"{out}/skipped.tsv")],
        "groups": dict(rows_of(f"{out}/groups.tsv")),
        "results": results,
    }


# ------------------------------------------------------------------ charts ----

COLOURS = ("#0060ad", "#dd181f", "#00802b", "#9400d3", "#e69f00", "#56b4e9", "#7f4f00", "#d55e00")
ROW = 16


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rows_to_draw(results):
    """Ratios; where a group has none, what it measured in its first unit."""
    ratios = [r for r in results if r["unit"] == "ratio"]
    return ratios or [r for r in results if r["unit"] == results[0]["unit"]]


def data_of(rows, colour_of):
    lines = []
    for at, row in enumerate(rows):
        low = row["median"] if row["low"] is None else row["low"]
        high = row["median"] if row["high"] is None else row["high"]
        lines.append(f"{row['median']} {len(rows) - at} {low} {high} {colour_of[row['candidate']]}")
    return "\n".join(lines)


def script_of(group, rows, path):
    candidates = list(dict.fromkeys(r["candidate"] for r in rows))
    colour_of = {
        name: "0x808080" if name == "again" else "0x" + COLOURS[i % len(COLOURS)][1:]
        for i, name in enumerate(candidates)
    }
    labels = ", ".join(
        f"{quoted(r['subject'] + ': ' + r['candidate'])} {len(rows) - at}"
        for at, r in enumerate(rows)
    )
    values = [v for r in rows for v in (r["median"], r["low"], r["high"]) if v]
    unit = rows[0]["unit"]
    what = "ratio to the reference" if unit == "ratio" else unit
    limits = "".join(
        f"set arrow from {r['limit'].lstrip('<>=~')}, {len(rows) - at - 0.4} "
        f"to {r['limit'].lstrip('<>=~')}, {len(rows) - at + 0.4} nohead lw 2 lc rgb '#dd181f' front\n"
        for at, r in enumerate(rows)
        if r["limit"]
    )
    log = "set logscale x\n" if min(values) > 0 and max(values) / min(values) > 8 else ""
    one = "set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb 'black'\n" if unit == "ratio" else ""
    return (
        f"set terminal svg size 1000,{120 + ROW * len(rows)} font 'sans,11' background 'white'\n"
        f"set output {quoted(path)}\n"
        f"set title {quoted(group + ': median and 95% interval; red: the limit; grey: the noise')} noenhanced\n"
        f"set xlabel {quoted(what)}\nset grid x\nset key off\n{log}{one}{limits}"
        f"set yrange [0.3:{len(rows) + 0.7}]\nset ytics ({labels}) noenhanced\n"
        f"$data << END\n{data_of(rows, colour_of)}\nEND\n"
        "plot $data using 1:2:3:4:5 with xerrorbars pt 7 ps 0.6 lw 1.5 lc rgb variable\n"
    )


def draw(out, results):
    """One chart per group; says what failed."""
    if not shutil.which("gnuplot"):
        print("charts: skipped, gnuplot is not installed")
        return True
    good = True
    for group in dict.fromkeys(r["group"] for r in results):
        rows = rows_to_draw([r for r in results if r["group"] == group])
        script = script_of(group, rows, f"{out}/{group}.svg")
        done = subprocess.run(
            ["gnuplot"], input=script, text=True, stderr=subprocess.PIPE, check=False
        )
        if done.returncode != 0:
            print(f"chart of {group}: gnuplot: {done.stderr.strip()}", file=sys.stderr)
            good = False
    return good


def main():
    bench, out, final, quick, cpu, realtime = sys.argv[1:]
    results = read_results(f"{out}/results.tsv")
    judge(results, list(rows_of(f"{bench}/limits.tsv")))
    print_table(results)
    print_limits(results)
    if quick == "yes":
        print("\n--quick: this shows that it runs; the figures are worth nothing")
    with open(f"{out}/results.json", "w", encoding="utf-8") as file:
        json.dump(
            document(bench, out, quick, cpu, realtime, results), file, indent=1, allow_nan=False
        )
        file.write("\n")
    drawn = draw(out, results)
    print(f"results: {final}/results.json")
    return 0 if drawn else 1


if __name__ == "__main__":
    sys.exit(main())
