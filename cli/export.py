"""`whosays export`."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from .faults import reporting

_ARTICLES = 48


@reporting
def export(
    model: Annotated[str, typer.Argument(help="A packaged model's name or a model folder.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the export, which --model then takes.")],
    format: Annotated[
        str, typer.Option(help="merged: all weights in one file, no encoder needed; onnx: for ONNX Runtime.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a model that exists already.")] = False,
) -> None:
    """Write a model in another form, once it answers as the model does on articles of the packaged dev split."""
    from ..model.errors import InputError

    if format not in ("merged", "onnx"):
        raise InputError(f"--format '{format}': use merged or onnx")
    from ..model.export import check_places, export_model, is_free

    check_places(model, output)
    if not is_free(output) and not force:
        raise InputError(f"{output}: exists already; give --force to replace the model in it")
    from ..model.labels import DEFAULT_SCHEME
    from ..training.corpus import packaged_split
    from .progress import stages

    # What the exporter tells of its optimiser; PyTorch sets its loggers' levels at import, so this comes after it.
    for library in ("onnx_ir", "onnxscript", "torch.onnx"):
        logging.getLogger(library).setLevel(logging.ERROR)
    # Only the articles count here, so a model of any scheme will do. Evenly spaced, they are of all conflicts.
    split = packaged_split("dev", DEFAULT_SCHEME, {})
    jobs = [(item.article, item.conflict) for item in split[:: max(1, len(split) // _ARTICLES)]]
    with stages() as say:
        parity = export_model(model, output, format, jobs, say)
    typer.echo(f"sentences\t{parity.sentences}")
    typer.echo(f"largest deviation\t{parity.deviation:.1e}")
    typer.echo(f"equal labels\t{parity.agreement:.4f}")
    typer.echo(f"model written to {output}", err=True)
