"""`dormouse study` and `documents`: texts that the model learns in its sleep."""

from pathlib import Path
from typing import Annotated

import typer

from cli.chat import ModelOption
from cli.client import DormouseClient
from cli.console import HomeOption, console, fail_in_one_line
from cli.errors import ApiError
from cli.home import Home
from cli.render import document_table


@fail_in_one_line
def study(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="Text or Markdown."),
    ],
    model: ModelOption = "default",
    home: HomeOption = None,
) -> None:
    """Give documents to study; the next sleep cycle reads what they state.

    For example:

      dormouse study handbook.md

      dormouse sleep
    """
    with DormouseClient.from_home(Home.at(home)) as client:
        for path in files:
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise ApiError(f"{path} is not text in UTF-8: convert it first.") from error
            document = client.study(path.name, text, model=model)
            console.print(f"{document['title']} is {document['state']} as {document['id']}.")


@fail_in_one_line
def documents(home: HomeOption = None) -> None:
    """List the documents, and what became of their sentences."""
    with DormouseClient.from_home(Home.at(home)) as client:
        rows = client.documents()
    console.print(document_table(rows) if rows else "No documents yet: see `dormouse study`.")
