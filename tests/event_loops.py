"""Event loops that somebody opened in this process and did not close.

Python warns when such a loop is collected, and pytest then fails whichever test is running.
"""

import asyncio
import gc


def open_loops():
    """The loops, a set. Others' objects are told by their types: to ask them may wake them."""
    loops = [each for each in gc.get_objects() if issubclass(type(each), asyncio.BaseEventLoop)]
    return {loop for loop in loops if not loop.is_closed()}


def close_but(kept):
    """Close all loops that do not run but those of a set."""
    for loop in open_loops() - kept:
        if not loop.is_running():
            loop.close()
