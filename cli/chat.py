"""`dormouse chat` and `dormouse feedback`."""

import sys
from typing import Annotated, Any

import typer

from cli.client import ChatReply, DormouseClient
from cli.console import HomeOption, console, fail_in_one_line
from cli.errors import ApiError
from cli.home import Home

ModelOption = Annotated[str, typer.Option(help="The public name to ask for.")]


@fail_in_one_line
def chat(
    message: Annotated[str | None, typer.Argument(help="Without it: a conversation.")] = None,
    session: Annotated[
        str | None, typer.Option(help="Name the conversation that this belongs to.")
    ] = None,
    model: ModelOption = "default",
    adapter: Annotated[
        str | None,
        typer.Option(help="Ask this version, or base; nothing is learned from it."),
    ] = None,
    temperature: Annotated[
        float, typer.Option(min=0, max=2, help="0 always takes the likeliest word.")
    ] = 0.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="The longest answer.")] = 512,
    home: HomeOption = None,
) -> None:
    """Talk to the model. Each answer shows its trace, for `dormouse feedback`.

    For example:

      dormouse chat "Who keeps the lighthouse of Ostrel?"

      dormouse chat --session planning

      dormouse chat --adapter 7 "Who keeps the lighthouse of Ostrel?"
    """
    options = {
        "model": model,
        "adapter": adapter,
        "session": session,
        "temperature": temperature,
        "max_tokens": max_tokens,
    }
    with DormouseClient.from_home(Home.at(home)) as client:
        if message is not None:
            _ask(client, [{"role": "user", "content": message}], options)
        else:
            _converse(client, options)


@fail_in_one_line
def feedback(
    trace: Annotated[str, typer.Argument(help="The trace, as `chat` showed it.")],
    rating: Annotated[float | None, typer.Option(min=-1, max=1, help="-1 bad to 1 good.")] = None,
    correction: Annotated[str | None, typer.Option(help="The right answer.")] = None,
    comment: Annotated[str | None, typer.Option(help="Anything else.")] = None,
    home: HomeOption = None,
) -> None:
    """Say what was right or wrong about an answer; the next sleep cycle takes it in.

    For example:

      dormouse feedback 0199... --rating 1

      dormouse feedback 0199... --correction "Mara Venn keeps it."
    """
    if rating is None and correction is None and comment is None:
        raise ApiError("Give --rating, --correction or --comment; see `dormouse feedback --help`.")
    with DormouseClient.from_home(Home.at(home)) as client:
        client.give_feedback(trace, rating=rating, correction=correction, comment=comment)
    console.print(f"Noted for trace {trace}. It is taken in by the next `dormouse sleep`.")


def _converse(client: DormouseClient, options: dict[str, Any]) -> None:
    console.print("[dim]Ctrl-D ends the conversation.[/]")
    messages: list[dict[str, Any]] = []
    while True:
        try:
            said = console.input("[bold]you[/]  ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        if not said:
            continue
        messages.append({"role": "user", "content": said})
        answer = _ask(client, messages, options)
        messages.append({"role": "assistant", "content": answer})


def _ask(client: DormouseClient, messages: list[dict[str, Any]], options: dict[str, Any]) -> str:
    reply = ChatReply()
    for part in client.chat(messages, reply=reply, **options):
        sys.stdout.write(part)
        sys.stdout.flush()
    sys.stdout.write("\n")
    sys.stdout.flush()
    console.print(f"[dim]trace {reply.trace}  adapter {reply.adapter}[/]", soft_wrap=True)
    return reply.text
