"""`dormouse`: every command, and how it is listed."""

import typer

from cli import chat, keys, learned, lifecycle, review, sleep, study, traces

app = typer.Typer(
    name="dormouse",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
    help="A model server that learns while it sleeps.\n\n"
    "Start it with `dormouse up`, talk to it with `dormouse chat`, correct it with "
    "`dormouse feedback`, and let it learn with `dormouse sleep`. What it learned can be read "
    "(`memories`, `adapters`), decided (`review`) and taken back (`rollback`).",
)

HERE = "This machine"
app.command(rich_help_panel=HERE)(lifecycle.up)
app.command(rich_help_panel=HERE)(lifecycle.down)
app.command(rich_help_panel=HERE)(lifecycle.status)
app.command(rich_help_panel=HERE)(lifecycle.logs)

DAY = "By day"
app.command(rich_help_panel=DAY)(chat.chat)
app.command(rich_help_panel=DAY)(chat.feedback)
app.command(rich_help_panel=DAY)(study.study)
app.command(rich_help_panel=DAY)(study.documents)
app.command(rich_help_panel=DAY)(traces.trace)
app.command(rich_help_panel=DAY, name="export")(traces.export_traces)
app.command(rich_help_panel=DAY, name="import")(traces.import_traces)

NIGHT = "By night"
app.command(rich_help_panel=NIGHT)(sleep.sleep)
app.command(rich_help_panel=NIGHT)(sleep.cycles)
app.command(rich_help_panel=NIGHT)(sleep.cancel)

LEARNED = "What it learned"
app.command(rich_help_panel=LEARNED)(learned.memories)
app.command(rich_help_panel=LEARNED)(review.review)
app.command(rich_help_panel=LEARNED)(learned.adapters)
app.command(rich_help_panel=LEARNED)(learned.rollback)
app.command(rich_help_panel=LEARNED)(traces.erase)

app.add_typer(keys.app, name="keys", rich_help_panel="Who may call and teach")

if __name__ == "__main__":
    app()
