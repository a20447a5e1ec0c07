"""What a conversation begins with, so that the model goes on as the user would."""

from collections.abc import Sequence

from shared.engine.client import EngineClient


async def user_header(engine: EngineClient, model: str, opener: str = "") -> list[int]:
    """The tokens that a conversation begins with, up to the user's words and the opener.

    Found by rendering two conversations with the model's own template: what both share.
    """
    renderings: list[Sequence[int]] = []
    for marker in ("Apple", "Zebra"):
        said = f"{opener} {marker}" if opener else marker
        messages = [{"role": "user", "content": said}, {"role": "assistant", "content": "A"}]
        renderings.append(await engine.tokenize(model, messages))
    first, second = renderings
    num_shared = 0
    while first[num_shared] == second[num_shared]:
        num_shared += 1
    return list(first[:num_shared])
