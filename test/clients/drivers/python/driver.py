"""The loop of a driver in Python: one request a line on standard input, one answer a line on standard output."""

import json
import os
import queue
import sys
import threading

BROKERS = os.environ["KAFKA_BROKERS"]

_out = os.fdopen(os.dup(1), "w")
# What a library prints must not get between the answers.
os.dup2(2, 1)
_lock = threading.Lock()


def _say(answer):
    with _lock:
        _out.write(json.dumps(answer) + "\n")
        _out.flush()


def _answer(commands, request):
    number, name = request.pop("id"), request.pop("do")
    try:
        command = getattr(commands, name)
        _say({"id": number, "result": command(**request)})
    except Exception as error:
        _say({"id": number, "error": f"{type(error).__name__}: {error}"})


def _read(commands, for_main):
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "copy":
            for_main.put(request)
        else:
            # A member answers "seen" while another request is running.
            threading.Thread(target=_answer, args=(commands, request), daemon=True).start()
    os._exit(0)


def serve(commands):
    """Serves until standard input ends, then ends the process: whatever the client has open is gone with it."""
    # A pipeline of quixstreams wants to hear signals, which only the main thread can.
    for_main = queue.Queue()
    threading.Thread(target=_read, args=(commands, for_main), daemon=True).start()
    while True:
        _answer(commands, for_main.get())


class Member:
    """What a member of a group has read and owns; filled by a thread of its client."""

    def __init__(self):
        self.error = None
        self.values = []
        self.assigned = []
        self.stop = threading.Event()
        self.ended = threading.Event()
