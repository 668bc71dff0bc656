"""The logs of this folder, entry by entry, and the policies they are read by."""

from published import Key, Log, moment
from second import b64, canonical, plain, salt, seal, sha

# Two organisations; the first runs two witnesses, which count as one.
ALFA_1 = Key("witness.alfa.example/1", 4)
ALFA_2 = Key("witness.alfa.example/2", 4)
BETA = Key("witness.beta.example/w", 4)
STRANGER = Key("witness.stranger.example/w", 4)


def policy(log, quorum="both"):
    return (f"# Reads the vectors' log `{log.origin.split('/')[-1]}`. All keys are grown from published seeds and worthless.\n"
            f"log {log.key.text}\n\n"
            f"witness alfa-1 {ALFA_1.text}\nwitness alfa-2 {ALFA_2.text}\nwitness beta-1 {BETA.text}\n\n"
            "group alfa any alfa-1 alfa-2\ngroup beta any beta-1\ngroup both all alfa beta\n"
            f"quorum {quorum}\n")


def on(purpose, order, minute=0):
    return {"state": "on", "purpose": purpose, "order": order.hex(), "frames_compared": 1500 * bool(minute),
            "candidates": minute // 3, "confirmed": minute // 9, "rejected": minute // 4}


OFF, UNKNOWN = {"state": "off"}, {"state": "unknown"}
CHILD, BOMB = sha(b"the order about a missing child"), sha(b"an order nobody published")
AUTHORITY = "Rechtbank van eerste aanleg Gent"


def public(purpose, order, cameras, start, end):
    return {"order": b64(order), "purpose": purpose, "authority": AUTHORITY, "cameras": cameras,
            "from": moment(start), "until": moment(end)}


def play(log, acts):
    """Does what is to be done, by time; cosigns each tick's checkpoint as `witnessing` says."""
    log.states, log.starts = [], []
    for _, act in sorted(acts, key=lambda pair: pair[0]):
        act()


def tick(log, start, states, witnessing=(ALFA_1, BETA), lag=-4, settled=True):
    """Writes a tick five seconds early; its witnesses look at it one after the other from `lag` on."""
    def act():
        n = log.tick(start, states)
        log.states.append(states)
        log.starts.append(start)
        seen = [(witness, start + lag + at) for at, witness in enumerate(witnessing)]
        if settled:
            log.cosigned.append(log.note(seen) if seen else "")
        assert n == len(log.states) - 1
    return start - 5, act


# --- open -------------------------------------------------------------------------------------------------------------

OPEN_TICKS, OPEN_GAP, SEARCH = 146, 70, range(30, 40)
FIRST = [("hall-north", 0), ("gate.2_b", 3), ("yard", 7)]
SECOND = [("hall-north", 0), ("platform-1", 3), ("annex", 4), ("yard", 7)]


def open_start(n):
    return 60 * (n + 1) + (607 if n >= OPEN_GAP else 0)


def open_states(n):
    states = {0: OFF, 3: OFF, 7: OFF} | ({4: OFF} if n >= 90 else {})
    if n in SEARCH:
        states |= {0: on("missing_person", CHILD, n - 30), 3: on("missing_person", CHILD, n - 30)}
    if n in range(20, 23):
        states[7] = UNKNOWN
    if n in range(50, 52):
        states[7] = on("threat", BOMB, n - 49)
    return states


def open_log():
    log = Log("open", t=moment(0), interval=60, mode="open", reveal_delay=300, slots=8)
    start, acts = open_start, []
    for n in range(OPEN_TICKS):
        how = {33: {"witnessing": ()}, 40: {"lag": 20}}.get(n, {})
        acts.append(tick(log, start(n), open_states(n), settled=n < OPEN_TICKS - 1, **how))
        if n < OPEN_TICKS - 2 and n != 100:
            acts.append((start(n) + 61, lambda n=n: log.reveal(start(n) + 61, n)))
    order = public("missing_person", CHILD, ["gate.2_b", "hall-north"], start(30), start(40))
    at = {}

    def event(second, kind, about=None, **rest):
        def act():
            at[kind] = log.event(second, kind, **({"about": at[about]} if about else {}), **rest)
        acts.append((second, act))

    acts.append((0, lambda: log.roster(0, FIRST)))
    acts.append((1, lambda: log.witnesses(1, policy(log), 3)))
    acts.append((start(90) - 30, lambda: log.roster(start(90), SECOND)))
    event(start(24) + 7, "request")
    event(start(28) + 2, "authorisation", "request", public=order)
    event(start(30) - 31, "opening", "authorisation", public=order, deposit=b64(sha(b"a deposit")))
    event(start(39) + 51, "closing", "opening", public=order)
    event(start(44) + 9, "review", "closing")
    event(start(60), "deletion", "closing")
    event(start(61), "note")
    play(log, acts)
    log.now = start(OPEN_TICKS - 1) - 1
    log.checkpoint = log.note([(ALFA_1, log.now - 2), (ALFA_2, log.now - 1), (BETA, log.now)])
    return log


# --- sealed -----------------------------------------------------------------------------------------------------------

SEALED_TICKS = 90


def sealed_start(n):
    return 60 * (n + 1)


def sealed_states(n):
    states = {0: OFF, 1: OFF, 2: OFF}
    if n in range(5, 9):
        states[1] = on("suspect", CHILD, n - 4)
    if n in range(40, 45):
        states[2] = on("threat", BOMB, n - 39)
    return states


def sealed_log():
    log = Log("sealed", t=moment(0), interval=60, mode="sealed", reveal_delay=3600, slots=4)
    acts = [(0, lambda: log.roster(0, [("hall-north", 0), ("gate.2_b", 1), ("yard", 2)]))]
    for n in range(SEALED_TICKS):
        acts.append(tick(log, sealed_start(n), sealed_states(n), settled=n < SEALED_TICKS - 1))
        by = sealed_start(n) + 3660
        if by <= sealed_start(SEALED_TICKS - 1) and n != 12:
            acts.append((by, lambda n=n, by=by: log.reveal(by, n)))
    order = public("suspect", CHILD, ["gate.2_b"], sealed_start(5), sealed_start(9))
    shown = sealed_start(8) + 3661
    acts.append((shown, lambda: log.event(shown, "authorisation", public=order)))
    play(log, acts)
    log.now = sealed_start(SEALED_TICKS - 1) + 5
    log.checkpoint = log.note([(ALFA_2, log.now - 1), (BETA, log.now)])
    return log


# --- lying ------------------------------------------------------------------------------------------------------------


def lying_log():
    """A log that misbehaves, one fault a tick. It is here for proofs only; its folder is not published."""
    log = Log("lying", t=moment(0), interval=60, mode="open", reveal_delay=300, slots=4)
    log.states = []
    cameras = [("gate.2_b", 1), ("hall-north", 0)][::-1]
    log.roster(0, cameras)
    order = public("missing_person", CHILD, ["gate.2_b"], 60, 6000)
    log.event(1, "opening", public=order)
    good = {0: OFF, 1: OFF}
    bad_layout = bytes([1, 1, 1]) + bytes(93)

    def one(states, reveal=61, **how):
        n = len(log.sides)
        log.tick(60 * (n + 1), states, **how)
        log.states.append(states)
        log.cosigned.append("")
        log.reveal(60 * (n + 1) + reveal, n)

    one(good)
    one({0: OFF})  # tick 1: no camera in the slot that the roster gives gate.2_b
    one(good, slots=[seal(salt(sha(b"another seed"), i), 2, i, plain(OFF)) for i in range(4)])
    seed = sha(log.origin.encode(), b" tick 3")
    one(good, slots=[seal(salt(seed, i), 3, i, bad_layout) for i in range(4)])
    side = '{"camera":"gate.2_b", "slot":1}\n'
    log.rosters[sha(side.encode())] = side
    one(good, roster=sha(side.encode()))  # tick 4: a roster that is not canonical
    one(good, reveal=59)  # tick 5: opened before its interval is over
    one({0: on("missing_person", CHILD), 1: OFF})  # tick 6: the order does not name hall-north
    one({0: OFF, 1: on("suspect", CHILD)})  # tick 7: the order has another purpose
    log.tick(540, good)
    log.values[-1]["reveal_by"] = moment(540 + 361)
    log.entries[-1] = log.entries[-1].replace(moment(540 + 360).encode(), moment(540 + 361).encode())
    log.states.append(good)
    log.cosigned.append("")
    log.roster(899, [("hall-north", 0), ("gate.2_b", 4)])  # a slot beyond those of the genesis
    last = {**next(value for value in log.values[::-1] if value["type"] == "tick"), "roster": b64(log.newest)}
    log.add({**last, "n": 10, "t": moment(900), "reveal_by": moment(1260)})  # tick 9 left out
    log.now = 1000
    log.checkpoint = log.note([(ALFA_1, log.now - 2), (BETA, log.now)])
    return log


def false_name():
    """A log of that key whose genesis names another log."""
    log = Log("lying", t=moment(0), interval=60, mode="open", reveal_delay=300, slots=4)
    log.genesis["origin"] = "vectors.placet.example/another"
    log.values[0], log.entries[0] = log.genesis, canonical(log.genesis).encode()
    log.states, log.cosigned = [{1: OFF}], [""]
    log.roster(0, [("gate.2_b", 1)])
    log.tick(60, log.states[0])
    log.reveal(120, 0)
    log.now = 1000
    log.checkpoint = log.note([(ALFA_1, log.now - 2), (BETA, log.now)])
    return log


def upside_down():
    """A log of that key with a tick before the log, its first tick after its second and its reveal, and a second genesis."""
    log = Log("lying", t=moment(100), interval=60, mode="open", reveal_delay=300, slots=4)
    log.states, log.cosigned = [], []
    log.roster(100, [("gate.2_b", 1)])
    log.tick(120, {1: OFF})
    log.states.append({1: OFF})
    first, _ = log.values.pop(), log.entries.pop()
    for n, start in [(5, 60), (1, 240)]:
        log.add({**first, "n": n, "t": moment(start), "reveal_by": moment(start + 360)})
    log.reveal(180, 0)
    log.add(first)
    log.add(log.genesis)
    log.now = 1000
    log.checkpoint = log.note([(ALFA_1, log.now - 2), (BETA, log.now)])
    return log


def all_logs():
    return {log.origin.split("/")[-1]: log for log in [open_log(), sealed_log(), lying_log()]}
