"""peers.py CASE N… [--queue]: what Python 3 makes of the work of cases.lua.

Prints `name=value` lines. Queues are queue.SimpleQueue, with --queue (or where a size is asked for) queue.Queue.
Tables go through them by reference, uncopied: what Python threads do.
"""
import queue
import sys
import threading
import time

now = time.perf_counter


def report(name, value):
    print(f"{name}={value:.6g}")


def spawn(fn, *args):
    thread = threading.Thread(target=fn, args=args)
    thread.start()
    return thread


def resident_kib():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4


def put_ints(q, n):
    put = q.put
    for i in range(1, n + 1):
        put(i)


def sum_ints(q, n, out):
    get = q.get
    total = 0
    for _ in range(n):
        total += get()
    out.append(total)


def one_to_one(q, n, produce, consume):
    out = []
    t = now()
    threads = [spawn(consume, q, n, out), spawn(produce, q, n)]
    for thread in threads:
        thread.join()
    t = now() - t
    assert out[0] == n * (n + 1) // 2
    return t


def ints(make, n, maxsize=0):
    q = queue.Queue(maxsize) if maxsize else make()
    report("ns", one_to_one(q, n, put_ints, sum_ints) / n * 1e9)


def count_until_zero(q, out):
    get = q.get
    count = 0
    while get() != 0:
        count += 1
    out.append(count)


def mesh(make, n):
    q, out, each = make(), [], n // 4
    t = now()
    consumers = [spawn(count_until_zero, q, out) for _ in range(4)]
    producers = [spawn(put_ints, q, each) for _ in range(4)]
    for thread in producers:
        thread.join()
    for _ in range(4):
        q.put(0)
    for thread in consumers:
        thread.join()
    t = now() - t
    report("rate", sum(out) / t / 1e6)
    report("share", min(out) / each)


def put_jobs(q, n):
    for i in range(1, n + 1):
        q.put({"id": i, "name": "job", "x": 1.5, "tags": ["a", "b"]})


def sum_jobs(q, n, out):
    total = 0
    for _ in range(n):
        total += q.get()["id"]
    out.append(total)


def job(make, n):
    t = one_to_one(make(), n, put_jobs, sum_jobs)
    report("rate", n / t / 1e6)
    report("ns", t / n * 1e9)


def answer(ping, pong, n):
    for _ in range(n):
        pong.put(ping.get())


def roundtrip(make, n):
    ping, pong = make(), make()
    other = spawn(answer, ping, pong, n)
    t = now()
    for i in range(n):
        ping.put(i)
        pong.get()
    report("us", (now() - t) / n * 1e6)
    other.join()


def time_pairs(n, lock):
    acquire, release = lock.acquire, lock.release
    t = now()
    for _ in range(n):
        acquire()
        release()
    report("ns", (now() - t) / n * 1e9)


def lock(_, n):
    time_pairs(n, threading.Lock())


def rlock(_, n):
    time_pairs(n, threading.RLock())


def semaphore(_, n):
    time_pairs(n, threading.Semaphore(1))


def event(_, n):
    is_set = threading.Event().is_set
    t = now()
    for _ in range(n):
        is_set()
        is_set()
    report("ns", (now() - t) / n * 1e9)


def fight(guard, start, end, out):
    time.sleep(max(0.0, start - now()))
    n = 0
    while True:
        for _ in range(100):
            guard.acquire()
            guard.release()
        n += 100
        if now() >= end:
            break
    out.append(n)


def contended(_, threads, ms):
    guard, out = threading.Lock(), []
    start = now() + 0.02
    everyone = [spawn(fight, guard, start, start + ms / 1000, out) for _ in range(threads)]
    for thread in everyone:
        thread.join()
    report("rate", sum(out) / ms / 1e3)
    report("share", min(out) * threads / sum(out))


class Shared:
    """Python's threads share every object; an attribute is the nearest thing."""

    def __init__(self):
        self.number = 1
        self.text = "short"


def shared_read(_, n):
    s = Shared()
    t = now()
    for _ in range(n):
        s.number
    report("number", (now() - t) / n * 1e9)
    t = now()
    for _ in range(n):
        s.text
    report("text", (now() - t) / n * 1e9)


def shared_write(_, n):
    s = Shared()
    t = now()
    for i in range(n):
        s.number = i
    report("number", (now() - t) / n * 1e9)
    t = now()
    for _ in range(n):
        s.text = "other"
    report("text", (now() - t) / n * 1e9)


def nothing():
    pass


def spawn_join(_, n):
    t = now()
    for _ in range(n):
        spawn(nothing).join()
    report("us", (now() - t) / n * 1e6)


def wait_at(ready, gate):
    ready.release()
    gate.wait()


def blocked(_, n):
    threading.stack_size(512 * 1024)
    ready, gate = threading.Semaphore(0), threading.Event()
    before, t = resident_kib(), now()
    threads = [spawn(wait_at, ready, gate) for _ in range(n)]
    for _ in range(n):
        ready.acquire()
    report("start", now() - t)
    time.sleep(0.2)
    report("kib", (resident_kib() - before) / n)
    t = now()
    gate.set()
    for thread in threads:
        thread.join()
    report("wake", now() - t)


def fib_of(k):
    return k if k < 2 else fib_of(k - 1) + fib_of(k - 2)


def build_strings(rounds):
    total = 0
    for r in range(rounds):
        parts = []
        for i in range(1000):
            parts.append("item " + str(i) + ":" + str(r))
        for word in ",".join(parts).split(","):
            total += len(word)
    return total


def build_tables(rounds):
    total = 0
    for r in range(rounds):
        records, byname = [], {}
        for i in range(1, 1001):
            record = {"id": i, "weight": (i * 7919 + r) % 1009, "tags": [i, i + 1]}
            records.append(record)
            byname["r" + str(i)] = record
        records.sort(key=lambda record: record["weight"])
        for i in range(1, 1001, 3):
            total += byname["r" + str(i)]["weight"] + records[i - 1]["tags"][1]
    return total


def churn(generations):
    total = 0
    for _ in range(generations):
        total += len([{1: i, "name": "x"} for i in range(50000)])
    return total


WORK = {"fib": fib_of, "strings": build_strings, "tables": build_tables, "churn": churn}


def plain(_, name, n):
    t = time.process_time()
    WORK[name](n)
    report("ms", (time.process_time() - t) * 1e3)


def time_work(count, name, n):
    t = now()
    threads = [spawn(WORK[name], n) for _ in range(count)]
    for thread in threads:
        thread.join()
    return now() - t


def scale(_, name, n):
    before, both, after = time_work(1, name, n), time_work(2, name, n), time_work(1, name, n)
    report("x", (before + after) / both)


CASES = {
    "ints": ints,
    "mesh": mesh,
    "job": job,
    "roundtrip": roundtrip,
    "lock": lock,
    "rlock": rlock,
    "semaphore": semaphore,
    "event": event,
    "contended": contended,
    "shared_read": shared_read,
    "shared_write": shared_write,
    "spawn": spawn_join,
    "blocked": blocked,
    "plain": plain,
    "scale": scale,
}


def main(args):
    make = queue.SimpleQueue
    if "--queue" in args:
        args.remove("--queue")
        make = queue.Queue
    CASES[args[0]](make, *(int(a) if a.isdigit() else a for a in args[1:]))


if __name__ == "__main__":
    main(sys.argv[1:])
