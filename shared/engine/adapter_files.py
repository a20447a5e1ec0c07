"""Adapter files: content-addressed directories that never change.

An adapter lives in `<adapters_dir>/<sha256>/`, where the hash covers every file's name and bytes.
"""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from pydantic import ValidationError

from shared.contracts.adapters import AdapterFile, Probe
from shared.errors import AdapterFileError

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
PROBE = "probe.json"
MANIFEST = "manifest.json"


def content_sha256(directory: Path) -> str:
    """The hash of every file's relative name and bytes, in order of names."""
    total = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(directory).as_posix()}\0{digest}\n".encode())
    return total.hexdigest()


def adopt(directory: Path, adapters_dir: Path) -> tuple[str, Path]:
    """Copy a finished adapter to its content address, read-only.

    `directory` stays, to tell whose the copy is until that is recorded.

    Returns:
        The hash and the new place. The same content adopted twice has one place.
    """
    sha256 = content_sha256(directory)
    target = adapters_dir.resolve() / sha256
    if not target.exists():
        copy = Path(tempfile.mkdtemp(prefix="copy-", dir=directory.parent))
        shutil.copytree(directory, copy, dirs_exist_ok=True)
        for path in copy.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o444)
        copy.chmod(0o755)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            copy.rename(target)
        except OSError:
            # An attempt that lost its lease has put the same there meanwhile.
            if not target.exists():
                raise
            shutil.rmtree(copy)
    return sha256, target


def verify(adapter: AdapterFile) -> None:
    """Check that an adapter's files are what was recorded.

    Raises:
        AdapterFileError: If they are missing or changed.
    """
    directory = Path(adapter.path)
    if not (directory / WEIGHTS).is_file():
        raise AdapterFileError(
            f"Adapter version {adapter.version} is missing at {directory}. Restore the directory "
            "from a backup, or roll back to another version."
        )
    found = content_sha256(directory)
    if found != adapter.sha256:
        raise AdapterFileError(
            f"Adapter version {adapter.version} at {directory} has hash {found}, not the recorded "
            f"{adapter.sha256}. Restore it from a backup, or roll back to another version."
        )


def read_probe(adapter: AdapterFile) -> Probe:
    """What the trainer measured with and without the adapter.

    Raises:
        AdapterFileError: If the file is missing or unreadable.
    """
    path = Path(adapter.path) / PROBE
    try:
        return Probe.parse(json.loads(path.read_text()))
    except (OSError, ValueError, ValidationError) as error:
        raise AdapterFileError(
            f"The probe of an adapter at {path} cannot be read: {error}"
        ) from error
