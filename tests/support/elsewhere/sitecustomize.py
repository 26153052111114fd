"""Lets molzoo's own modules see another system: `MOLZOO_SIMULATE=win32` or `darwin`, and this folder in PYTHONPATH.

Modules of `zoo`, `optim` and `featurizers` get an `import` that hands them `os`, `sys` and `signal` as they are there
(names that are missing are missing) and refuses modules that are not there; all other packages see the real system.
Processes that are started see the same, as they inherit the environment. On a simulated Windows, files that are open
can be neither replaced nor removed, nor have names that Windows refuses. Opening a text file without an encoding is an
error on both.
"""

import builtins
import importlib
import importlib.machinery
import io
import multiprocessing
import os
import re
import signal
import sys
import types
import warnings
from pathlib import Path

SYSTEM = os.environ.get("MOLZOO_SIMULATE", "")
OURS = ("zoo", "optim", "featurizers")
POSIX_MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "readline"}
ABSENT = {
    "os": {
        "darwin": {
            "sched_getaffinity",
            "sched_setaffinity",
            "memfd_create",
            "posix_fallocate",
            "sendfile",
            "O_TMPFILE",
        },
        "win32": {
            *("sched_getaffinity", "sched_setaffinity", "memfd_create", "posix_fallocate", "posix_fadvise", "sysconf"),
            *("fork", "forkpty", "register_at_fork", "getuid", "geteuid", "getgid", "getegid", "getpgid", "getpgrp"),
            *(
                "setsid",
                "killpg",
                "nice",
                "mkfifo",
                "chown",
                "fchmod",
                "getloadavg",
                "wait",
                "wait3",
                "uname",
                "statvfs",
            ),
            *("O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_SYNC", "pread", "pwrite", "sync", "O_TMPFILE"),
        },
    },
    "signal": {
        "darwin": {"pthread_getcpuclockid", "sigtimedwait", "sigwaitinfo", "SIGRTMIN", "SIGPWR"},
        "win32": {
            *("SIGHUP", "SIGKILL", "SIGALRM", "SIGPROF", "SIGVTALRM", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE"),
            *(
                "SIGSTOP",
                "SIGCONT",
                "SIGQUIT",
                "SIGTSTP",
                "setitimer",
                "getitimer",
                "alarm",
                "pthread_sigmask",
                "pause",
            ),
            *("ITIMER_REAL", "ITIMER_PROF", "ITIMER_VIRTUAL", "sigwait", "siginterrupt", "pthread_kill"),
        },
    },
    "sys": {"darwin": set(), "win32": {"abiflags"}},
    "time": {"darwin": set(), "win32": {"clock_gettime", "tzset", "pthread_getcpuclockid"}},
}
VALUES = {
    "os": {"win32": {"name": "nt"}, "darwin": {}},
    "sys": {"win32": {"platform": "win32"}, "darwin": {"platform": "darwin"}},
}
FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)


class Elsewhere(types.ModuleType):
    """A module of the standard library as another system has it."""

    def __init__(self, real: types.ModuleType) -> None:
        super().__init__(real.__name__)
        self.__dict__["_real"] = real

    def __getattr__(self, name: str):
        real = self.__dict__["_real"]
        if name in ABSENT[real.__name__][SYSTEM]:
            raise AttributeError(f"module {real.__name__!r} has no attribute {name!r} on {SYSTEM}")
        return VALUES.get(real.__name__, {}).get(SYSTEM, {}).get(name, getattr(real, name))

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__dict__["_real"], name, value)


def import_elsewhere(name, namespace=None, local=None, fromlist=(), level=0):
    """Import for the modules of molzoo."""
    top = name.partition(".")[0]
    if level == 0 and SYSTEM == "win32" and top in POSIX_MODULES:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    if level == 0 and name in ABSENT:
        return STAND_INS[name]
    if level == 0 and SYSTEM == "win32" and top == "ctypes":
        importlib.import_module("ctypes")
        return types.SimpleNamespace(CDLL=refuse_library)
    return real_import(name, namespace, local, fromlist, level)


def refuse_library(name):
    """Windows has no library of the process itself, and no libc."""
    raise TypeError("argument of type 'NoneType' is not iterable")


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module of molzoo with another `import`."""

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": import_elsewhere}
        super().exec_module(module)


class Finder:
    """Finds the modules of molzoo as ever, and gives them `Loader`."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] not in OURS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


def keep_open_files() -> None:
    """Let files that this process has open be neither replaced, renamed nor removed, and odd names not be used."""
    watched = Path(os.environ["MOLZOO_SIMULATE_IN"]).resolve()

    def refuse(path, what) -> None:
        place = Path(os.fsdecode(path)).absolute() if isinstance(path, (str, bytes, os.PathLike)) else None
        if place is None or watched not in place.parents:
            return
        for part in place.relative_to(watched).parts:
            if FORBIDDEN.search(part):
                raise OSError(22, f"{what}: Windows refuses the name {part!r}", str(place))
        if what == "open":
            return
        for number in os.listdir("/proc/self/fd"):
            try:
                opened = Path(os.readlink(f"/proc/self/fd/{number}"))
            except OSError:
                continue
            if opened == place or place in opened.parents:
                raise PermissionError(13, f"{what}: [WinError 32] {opened} is in use", str(place))

    def guard(function, what, two=False, keeps=False):
        def call(path, *others, **options):
            refuse(path, what)
            if two:
                refuse(others[0], what)
                if keeps and os.path.exists(others[0]):
                    raise FileExistsError(17, f"{what}: [WinError 183]", str(others[0]))
            return function(path, *others, **options)

        return call

    os.replace = guard(os.replace, "replace", two=True)
    os.rename = guard(os.rename, "rename", two=True, keeps=True)
    os.unlink = guard(os.unlink, "unlink")
    os.remove = guard(os.remove, "remove")
    os.mkdir = guard(os.mkdir, "open")
    io.open = builtins.open = guard(io.open, "open")


real_import = builtins.__import__
if SYSTEM:
    STAND_INS = {name: Elsewhere(importlib.import_module(name)) for name in ABSENT}
    warnings.filterwarnings("ignore", category=EncodingWarning)
    warnings.filterwarnings("error", category=EncodingWarning, module=rf"({'|'.join(OURS)})(\.|$)")
    multiprocessing.set_start_method("spawn", force=True)
    sys.meta_path.insert(0, Finder)
    if SYSTEM == "win32":
        signal.SIGBREAK = signal.SIGTERM
        keep_open_files()
