"""Lets vLLM's processes sleep while they wait for each other on CPU (an entry point like `plugin`).

vLLM 0.32 runs scheduler and model in two processes. Each looks for the other's message in shared
memory over and over, and only yields between two looks. On a GPU nobody misses that core; on a CPU
it is taken from the model's threads.
"""

import functools
import logging
import time

# `vllm.*` names go to vLLM's own log.
logger = logging.getLogger("vllm.dormouse_engine")

# Between two looks; a step of a small model takes a hundred times as long.
PAUSE_S = 0.0002


def register() -> None:
    """Called by vLLM in each of its processes; more than once changes nothing."""
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    from vllm.distributed.device_communicators import shm_broadcast

    if not hasattr(shm_broadcast, "sched_yield"):
        logger.warning(
            "vLLM's processes may wait in a loop that takes a core from the model: shm_broadcast "
            "has no sched_yield. dormouse_engine was written for vLLM 0.32."
        )
        return
    shm_broadcast.sched_yield = functools.partial(time.sleep, PAUSE_S)
    logger.info("On CPU, processes that wait for each other sleep (dormouse_engine).")
