"""The local PostgreSQL's address."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from cli.postgres import Postgres


@pytest.mark.parametrize("folder", ["/home/ada/.dormouse/run", "/srv/a+b c/50%&more/run"])
def test_the_address_names_the_folder_of_the_socket_whatever_it_is_called(folder: str) -> None:
    postgres = Postgres(data=Path("/data"), sockets=Path(folder), account=None)
    assert make_url(postgres.url).query["host"] == folder
