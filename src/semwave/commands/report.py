"""Make a report of a sweep's store: one HTML page that needs no network, PNG figures, CSV tables.

The page has curves with confidence bands over SNR and bandwidth, error rates beside theory, pictures to compare with a
slider, tables to sort, and for each figure the command, versions, seeds and hardware that made it."""

import argparse
from pathlib import Path

ORDER = 34


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("store", metavar="STORE", help="a store that 'semwave sweep' wrote")
    parser.add_argument("-o", "--output", metavar="FILE", help="the page (beside the store, .html)")
    parser.add_argument("--png", metavar="DIR", help="also write every figure as a PNG file")
    parser.add_argument("--csv", metavar="DIR", help="also write every table as a CSV file")
    parser.add_argument("--row", metavar="FILE", help="also write figures over SNR side by side, as one PNG file")
    parser.add_argument("--scores", default="psnr,lpips", metavar="NAMES", help="the scores of --row (psnr,lpips)")
    parser.add_argument("--title", default="", help="title of the page")
    parser.add_argument("--pictures", type=int, default=24, metavar="N", help="pictures in the gallery at most (24)")


def execute(args: argparse.Namespace) -> int:
    """Read the store and write what is asked for."""
    from semwave.bench.report import figures, html, tables
    from semwave.bench.report.data import read
    from semwave.commands._terminal import counted, size
    from semwave.sweep.store import Store

    output = Path(args.output or Path(args.store).with_suffix(".html"))
    with Store(args.store) as store:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(html.page(store, args.title, max(0, args.pictures)), encoding="utf-8")
        print(f"{output}: {size(output.stat().st_size)}")
        if args.png:
            print(f"{args.png}: {counted(len(figures.save(store, Path(args.png))), 'figure')}")
        if args.row:
            print(figures.save_row(store, [n.strip() for n in args.scores.split(",")], Path(args.row)))
        if args.csv:
            folder = Path(args.csv)
            folder.mkdir(parents=True, exist_ok=True)
            found = tables.by_name(read(store))
            for name, table in found.items():
                (folder / f"{name}.csv").write_text(tables.as_csv(table), encoding="utf-8", newline="")
            print(f"{folder}: {', '.join(f'{n}.csv' for n in found) or 'no table has rows'}")
    return 0
