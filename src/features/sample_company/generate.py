"""Generate the sample company, a simulated wholesaler with known ground truth.

`docs/background/sample-company.md` describes the model. Customers are drawn in blocks of `BLOCK`,
each from its own seed, and appended to the Parquet files block by block: memory does not grow with
the number of customers, and a customer of a full block is the same however many follow.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import ConfigRefused
from features.sample_company import (
    crm_and_service,
    ground_truth,
    simulated_orders,
    simulated_surveys,
)
from features.sample_company.arrow_tables import format_ids
from features.sample_company.parameters import PARAMETERS, draw_traits
from features.sample_company.weekly_process import simulate_weeks

BLOCK = 2_000
FEWEST, MOST = 100, 5_000_000

Tables = dict[str, pa.Table]


def generate_sample_company(
    folder_raw: Path,
    folder_truth: Path,
    customers: int = 5000,
    seed: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Write the sample company's tables and ground truth; return the number of rows of each table.

    The folders are replaced at the end, so an aborted run leaves the old ones. `progress` is called
    with the customers done and their total. Raises ConfigRefused for an invalid number of customers
    or seed.
    """
    _check(customers, seed)
    written: dict[str, int] = {}
    folders = (folder_raw, folder_truth)
    for folder in folders:
        _recover(folder)
        _unfinished(folder).mkdir(parents=True)
    writers: dict[Path, pq.ParquetWriter] = {}
    try:
        for block in range(-(-customers // BLOCK)):
            size = min(BLOCK, customers - block * BLOCK)
            for folder, tables in zip(folders, draw_block(seed, block, size), strict=True):
                _append(writers, _unfinished(folder), tables)
                for name, table in tables.items():
                    written[name] = written.get(name, 0) + table.num_rows
            if progress is not None:
                progress(block * BLOCK + size, customers)
    finally:
        for writer in writers.values():
            writer.close()
    for folder in folders:
        _publish(folder)
    return written


def draw_block(seed: int, block: int, size: int) -> tuple[Tables, Tables]:
    """Draw the raw tables and the ground truth of one block; deterministic in its arguments."""
    root = np.random.SeedSequence(seed, spawn_key=(block,))
    rng, *streams = (np.random.default_rng(child) for child in root.spawn(9))
    histories = simulate_weeks(rng, draw_traits(rng, size, PARAMETERS), PARAMETERS)
    names = format_ids("A", block * BLOCK + np.arange(size))
    book = simulated_orders.draw_order_book(streams[0], histories, PARAMETERS, block)
    asked = [
        simulated_surveys.draw_questions(streams[1], histories, PARAMETERS, nps)
        for nps in (False, True)
    ]
    raw = {
        "crm_accounts": crm_and_service.account_table(histories, names, block * BLOCK),
        "orders": simulated_orders.order_table(streams[2], histories, book, names),
        "shipments": simulated_orders.shipment_table(streams[3], book, names),
        "payments": simulated_orders.payment_table(streams[3], histories, book, names),
        "returns": simulated_orders.return_table(streams[3], histories, book, names),
        "visits": crm_and_service.visit_table(streams[4], histories, names),
        "logins": crm_and_service.login_table(streams[5], histories, names),
        "contracts": crm_and_service.contract_table(histories, names),
        "surveys": pa.concat_tables(
            [simulated_surveys.survey_table(streams[6], histories, part, names) for part in asked]
        ),
        "tickets": crm_and_service.ticket_table(streams[7], histories, names),
    }
    known = {
        "state": ground_truth.state_table(PARAMETERS, histories, names),
        "answers": pa.concat_tables(
            [simulated_surveys.answer_table(part, names) for part in asked]
        ),
    }
    return raw, known


def _check(customers: int, seed: int) -> None:
    if not FEWEST <= customers <= MOST:
        raise ConfigRefused(
            f"customers = {customers}: the sample company can have {FEWEST} to {MOST:,} customers"
        )
    if seed < 0:
        raise ConfigRefused(f"seed = {seed}: the seed must be a non-negative integer")


def _append(writers: dict[Path, pq.ParquetWriter], folder: Path, tables: Tables) -> None:
    """Append each table to its file, one row group per block."""
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        if path not in writers:
            writers[path] = pq.ParquetWriter(path, table.schema, compression="zstd")
        writers[path].write_table(table, row_group_size=max(table.num_rows, 1))


def _unfinished(folder: Path) -> Path:
    return folder.with_name(folder.name + ".unfinished")


def _former(folder: Path) -> Path:
    return folder.with_name(folder.name + ".former")


def _recover(folder: Path) -> None:
    """Clean up after an aborted run: delete its unfinished folder, complete an interrupted swap."""
    shutil.rmtree(_unfinished(folder), ignore_errors=True)
    if _former(folder).exists() and not folder.exists():
        _former(folder).rename(folder)
    shutil.rmtree(_former(folder), ignore_errors=True)


def _publish(folder: Path) -> None:
    """Put the finished folder in the place of the former one."""
    if folder.exists():
        folder.rename(_former(folder))
    _unfinished(folder).rename(folder)
    shutil.rmtree(_former(folder), ignore_errors=True)
