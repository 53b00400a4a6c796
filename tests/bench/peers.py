#!/usr/bin/env python3
"""Runs the peer benchmark with our server in it, caches off and on, and writes tests/bench/RESULTS.md.

PEERS_DIR   folder for what the benchmark builds, generates and measures (some gigabytes; made if it is not there)
BENCH_DIR   the peer benchmark (default ../shared/bench)
PEERS       peers to run beside ours (default martin,tipg,floor and those that TILE38_BIN, PG_TILESERV_BIN and
            PG_FEATURESERV_BIN name a program for; the floor is a bare actix server)
REPEATS, SECS   rounds and seconds of each scene (default 3 and 4)

Every figure is a median over the rounds; servers take turns, one core each. Ratios count, absolute figures don't.
"""

import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = pathlib.Path(os.environ.get("PEERS_DIR") or sys.exit("PEERS_DIR must name a folder for what the benchmark makes"))
BENCH = pathlib.Path(os.environ.get("BENCH_DIR", ROOT / "../shared/bench")).resolve()
BIN = pathlib.Path(sys.argv[1]).resolve()
LAYERS = ["addresses_10k", "addresses_100k", "addresses_1m", "corridors", "areas", "flows"]


def free_address():
    """An address that nothing listens on: what answers there is the server that is measured."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % one.getsockname()[1]


ADDRESS = free_address()
ITEMS = "/ogc/collections/bench-{layer}/items"

# Scene, server it is held against, what is to be reached and what is better still.
WANTED = [
    ("off", "tiles all", "martin", 15, 30),
    *[("off", f"tiles {layer}", "martin", 20, 40) for layer in LAYERS[:3]],
    ("off", "tiles corridors", "martin", 8, 15),
    ("off", "tiles flows", "martin", 8, 15),
    ("off", "tiles areas", "martin", 8, 20),
    ("off", "tiles all, Accept-Encoding: gzip", "martin", 10, 20),
    ("on", "tiles all", "floor", 0.7, 0.8),
    ("off", "items 100", "floor", 0.5, 0.7),
    ("off", "items 1000", "floor", 0.45, 0.6),
    ("on", "items 100", "floor", 0.5, 0.7),
    ("on", "items 1000", "floor", 0.45, 0.6),
    ("off", "items 100", "tipg", 100, 300),
    ("off", "items 1000", "tipg", 150, 450),
    ("off", "items 100 of 1m", "tipg", 300, 800),
    ("off", "item by id", "floor", 0.7, 0.85),
    ("off", "10 nearest 1m", "floor", 0.5, 0.7),
    ("off", "within 1 km 1m", "floor", None, None),
    ("off", "window 100 points 1m", "floor", None, None),
    # Over RESP, connections kept: what tile38 does best.
    ("off", "by id 1m", "tile38-resp", 1.2, 1.6),
    ("off", "10 nearest 1m", "tile38-resp", 8, 15),
    ("off", "within 1 km 1m", "tile38-resp", 16, 30),
    ("off", "window 100 points 1m", "tile38-resp", 6, 12),
    ("off", "tiles all", "pg_tileserv", None, None),
    ("off", "items 100", "pg_featureserv", 20, 40),
    ("off", "items 1000", "pg_featureserv", 50, 80),
    ("off", "item by id", "pg_featureserv", 8, 12),
]
# Bytes of an answer on the whole list beside theirs: scene, server, the greatest ratio wanted.
BYTES = [("tiles all", "martin", 1.0), ("tiles all, Accept-Encoding: gzip", "martin", 1.05)]
# How often the half with kept answers is run: a figure that jumps from run to run is a fault.
CACHED_RUNS = 3
# Peers that are built elsewhere: the variable that names each program.
ELSEWHERE = {"tile38,tile38-resp": "TILE38_BIN", "pg_tileserv": "PG_TILESERV_BIN", "pg_featureserv": "PG_FEATURESERV_BIN"}


def run(tag, config, peers, only, *more):
    """One run of the benchmark; its JSON."""
    settings = PEERS / f"{tag}.toml"
    settings.write_text(config)
    ours = f"{BIN} serve {PEERS / 'ours.gpkg'} --config {settings} --listen {ADDRESS}"
    log = PEERS / f"{tag}.log"
    command = [
        sys.executable, str(BENCH / "bench.py"), "--peers", peers, "--only", only, "--tag", tag,
        "--secs", os.environ.get("SECS", "4"), "--repeats", os.environ.get("REPEATS", "3"), "--retries", "1",
        "--ours-cmd", ours, "--ours-base", f"http://{ADDRESS}", "--ours-probe", "/readyz",
        "--ours-tile", "/tiles/bench-{layer}/{z}/{x}/{y}.mvt",
        "--ours-items", ITEMS + "?bbox={bbox}&limit={limit}", "--ours-item", ITEMS + "/{id}",
        "--ours-window", ITEMS + "?bbox={bbox}&limit=100", "--ours-near", ITEMS + "?nearest={lon},{lat}&limit=10",
        "--ours-within", ITEMS + "?within={lon},{lat},1000&limit=1000", *more,
    ]
    with open(log, "w") as out:
        subprocess.run(command, check=True, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "PEERS_DIR": str(PEERS)})
    return json.loads((PEERS / "results" / f"{tag}.json").read_text())


def medians(result):
    """Median requests a second and p99 by scene and server."""
    rounds = {}
    for one in result["runs"]:
        rounds.setdefault((one["scene"], one["server"]), []).append(one)
    middle = lambda key, name: statistics.median(one[name] for one in rounds[key])
    return {key: (middle(key, "rps"), middle(key, "p99_ms"), middle(key, "bytes_mean")) for key in rounds}


def main():
    PEERS.mkdir(parents=True, exist_ok=True)
    if not (PEERS / "data" / "tiles.txt").exists():
        environment = {**os.environ, "PEERS_DIR": str(PEERS)}
        subprocess.run([sys.executable, str(BENCH / "bench.py"), "--peers", "", "--only", ""], check=True, env=environment)
    store = PEERS / "ours.gpkg"
    if not store.exists():
        for layer in LAYERS:
            file = next(path for end in ("ndjson", "geojson") if (path := PEERS / "data" / f"{layer}.{end}").exists())
            subprocess.run([str(BIN), "import", str(store), str(file), "--into", f"bench-{layer}", "--id", "id", "--open"], check=True)
    found_elsewhere = [peers for peers, variable in ELSEWHERE.items() if os.environ.get(variable)]
    peers = os.environ.get("PEERS", ",".join(["martin,tipg,floor", *found_elsewhere]))
    of_tiles = ",".join(peer for peer in peers.split(",") if peer in ("martin", "pg_tileserv", "floor"))
    of_items = ",".join(peer for peer in peers.split(",") if peer not in ("martin", "pg_tileserv"))
    uncached = "cache_mb = 0\nthin_tiles = false\nlog = \"error\"\n"
    tiles = run("ours-tiles", uncached, of_tiles, "tiles,layers,gzip,check,cold")
    # Tiles are fetched once from every server that makes any: of each layer one is enough here.
    items = run("ours-items", uncached, of_items, "items,spatial", "--max-tiles", "1")
    # The log of requests is on here, and goes where the server's standard error goes.
    cached = [medians(run(f"ours-cached-{turn}", "drop_features = false\n", "floor", "tiles,items")) for turn in range(CACHED_RUNS)]
    found = {"off": [{**medians(tiles), **medians(items)}], "on": cached}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    lines = [
        "# Beside the servers a user would pick instead", "",
        f"Commit {commit}; `make bench-peers` with `PEERS_DIR=` a folder. One core for the server, medians of "
        f"{os.environ.get('REPEATS', '3')} rounds, servers in turn, the same lists of addresses. Our tiles drop no features "
        f"(`drop_features = false`). The half with kept answers was run {CACHED_RUNS} times: its ratios stand side by side, its other "
        "figures are the last run's. Ratios are ours to theirs: machines differ, ratios less.", "",
        "| scene | cache | ours a second | against | theirs a second | ratio | reach | stretch | p99 ms, ours / theirs | bytes, ours / theirs |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for cache, scene, peer, reach, stretch in WANTED:
        pairs = [(one.get((scene, "ours")), one.get((scene, peer))) for one in found[cache]]
        if not all(all(pair) for pair in pairs):
            continue
        ratios = [ours[0] / theirs[0] for ours, theirs in pairs]
        ours, theirs = pairs[-1]
        mark = "" if reach is None else f"{reach}" + (" met" if min(ratios) >= reach else " **not met**")
        lines.append(
            f"| {scene} | {cache} | {ours[0]:,.0f} | {peer} | {theirs[0]:,.0f} | "
            f"{' / '.join(f'{ratio:.3g}' for ratio in ratios)} | {mark} | {'' if stretch is None else stretch} | "
            f"{ours[1]:.2f} / {theirs[1]:.2f} | {ours[2]:,.0f} / {theirs[2]:,.0f} |"
        )
    for scene, peer, most in BYTES:
        ours, theirs = found["off"][0].get((scene, "ours")), found["off"][0].get((scene, peer))
        if ours and theirs:
            ratio = ours[2] / theirs[2]
            met = "met" if ratio <= most else "**not met**"
            lines += ["", f"{scene}: {ours[2]:,.0f} bytes an answer, {peer} {theirs[2]:,.0f}: {ratio:.3f} of it (at most {most}, {met})."]
    lines += ["", "Features in all tiles of the list, counted by the benchmark:", "", "| layer | ours | Martin |", "|---|---|---|"]
    check = tiles["check"]
    for layer in LAYERS:
        if layer in check.get("ours", {}) and layer in check.get("martin", {}):
            lines.append(f"| {layer} | {check['ours'][layer]['features']:,} | {check['martin'][layer]['features']:,} |")
    p99 = found["off"][0].get(("tiles all", "ours")), found["off"][0].get(("tiles all", "martin"))
    if all(p99):
        ratio = p99[1][1] / p99[0][1]
        lines += ["", f"The slowest of a hundred uncached tiles takes 1/{ratio:.0f} of Martin's (reach 1/10, stretch 1/25)."]
    cold, memory = tiles["cold_ms"].get("ours"), tiles["mem"].get("ours")
    if cold:
        idle = memory["idle"]["pss_now_mb"]
        lines += ["", f"Cold start on 1.2 million rows: {statistics.median(cold) / 1e3:.1f} s; {idle:.0f} MB when ready."]
    # Written by hand, from profiles: kept beside the table that it explains.
    lines += ["", (ROOT / "tests/bench/why.md").read_text().strip()]
    (ROOT / "tests/bench/RESULTS.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


main()
