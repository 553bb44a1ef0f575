"""How a command ends: one line on standard error for what a user can cause, and the right exit code."""

import logging
import os
import sys
import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import typer

from ..model.errors import InputError, WorkError
from .progress import LogHandler

P = ParamSpec("P")
R = TypeVar("R")


def reporting(command: Callable[P, R]) -> Callable[P, R]:
    """Set up logging for `command` and turn its faults into exit codes: 2 for wrong usage, 1 for failed work."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        _quiet_libraries()
        try:
            return command(*args, **kwargs)
        except InputError as error:
            typer.echo(f"whosays: {error}", err=True)
            raise typer.Exit(2) from None
        except BrokenPipeError:  # whoever read our output has gone: nobody is left to tell
            _forget_output()
            raise typer.Exit(1) from None
        except (WorkError, OSError) as error:
            typer.echo(f"whosays: {error}", err=True)
            try:
                sys.stdout.flush()
            except OSError:
                _forget_output()
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("whosays: interrupted", err=True)
            raise typer.Exit(130) from None

    return run


def _forget_output() -> None:
    """Let go what standard output could not take: Python would try once more while it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _quiet_libraries() -> None:
    """Our own log lines only, on standard error; set before the libraries are imported, which read these at import."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[LogHandler()], force=True)
    for name in ("accelerate", "datasets", "httpx", "huggingface_hub", "peft", "torch", "transformers"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
