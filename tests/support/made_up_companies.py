"""Companies that nobody has seen: raw files in the manner of different countries and trades.

Each writes a folder and says in its docstring what is true of it.
"""

import csv
import gzip
import io
import json
import random
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter

START = date(2023, 1, 2)
Rows = list[list[Any]]


def _write(path: Path, header: list[str], rows: Rows, encoding: str, delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode(encoding))


def _german(number: float) -> str:
    """1234.5 as 1.234,50."""
    return f"{number:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def german_software(folder: Path) -> None:
    """Subscriptions: contracts with cancellations, invoices with decimal comma, cp1252, semicolons.

    Kundennr has leading zeros. Churn is by contract. `Letzte Rechnung` and `Kündigungsdatum` of the
    customers leak, `Firma` and `E-Mail` identify.
    """
    draw = random.Random(1)
    customers, contracts, invoices = [], [], []
    for number in range(300):
        key, begin = f"{number:05d}", START + timedelta(days=draw.randrange(300))
        ends = begin + timedelta(days=draw.randrange(60, 900)) if draw.random() < 0.5 else None
        gone = ends if ends and ends < date(2024, 12, 31) else None
        customers.append(
            [
                key,
                f"Firma Müller {number} GmbH",
                f"info{number}@beispiel.invalid",
                draw.choice(["Bayern", "Hessen", "Sachsen"]),
                draw.choice(["Handel", "Industrie", "IT"]),
                gone.strftime("%d.%m.%Y") if gone else "",
                f"{begin:%d.%m.%Y}",
            ]
        )
        contracts.append(
            [key, f"{begin:%d.%m.%Y}", "Vertragsabschluss", draw.choice(["Basis", "Profi"])]
        )
        if gone:
            contracts.append([key, f"{gone:%d.%m.%Y}", "Kündigung", ""])
        day = begin
        while day < (gone or date(2024, 12, 31)):
            invoices.append(
                [
                    f"R{len(invoices):06d}",
                    key,
                    f"{day:%d.%m.%Y}",
                    _german(draw.choice([49.9, 199.0, 1290.5])) + " €",
                ]
            )
            day += timedelta(days=30)
    _write(
        folder / "Kunden.csv",
        ["Kundennr", "Firma", "E-Mail", "Bundesland", "Branche", "Kündigungsdatum", "Angelegt am"],
        customers,
        "cp1252",
        ";",
    )
    _write(
        folder / "Verträge.csv", ["Kundennr", "Datum", "Vorgang", "Tarif"], contracts, "cp1252", ";"
    )
    _write(
        folder / "Rechnungen.csv",
        ["Rechnungsnr", "Kundennr", "Rechnungsdatum", "Nettobetrag"],
        invoices,
        "cp1252",
        ";",
    )


def chinese_shop(folder: Path) -> None:
    """A shop: one file of orders (订单) and returns (退货) in GBK, customers with a city."""
    draw = random.Random(2)
    people, rows = [], []
    for number in range(250):
        key = f"HY{100000 + number}"
        people.append(
            [
                key,
                f"张{number}",
                f"1380000{number:04d}",
                draw.choice(["上海", "北京", "广州"]),
                draw.choice(["男", "女"]),
            ]
        )
        day = START + timedelta(days=draw.randrange(60))
        while day < date(2024, 12, 20):
            moment = f"{day:%Y/%m/%d} {draw.randrange(8, 22):02d}:{draw.randrange(60):02d}"
            price = round(draw.uniform(20, 900), 2)
            rows.append(
                [
                    f"D{len(rows):07d}",
                    key,
                    moment,
                    "订单",
                    f"￥{price:.2f}",
                    draw.randrange(1, 5),
                    draw.choice(["食品", "服装", "家电"]),
                    draw.choice(["门店", "小程序"]),
                ]
            )
            if draw.random() < 0.1:
                later = day + timedelta(days=3)
                rows.append(
                    [
                        f"D{len(rows):07d}",
                        key,
                        f"{later:%Y/%m/%d} 10:00",
                        "退货",
                        f"￥{price:.2f}",
                        1,
                        draw.choice(["食品", "服装"]),
                        "门店",
                    ]
                )
            day += timedelta(days=draw.randrange(5, 60))
    _write(folder / "会员.csv", ["会员编号", "姓名", "手机", "城市", "性别"], people, "gbk", ",")
    _write(
        folder / "销售单.csv",
        ["单号", "会员编号", "下单时间", "业务类型", "实付金额", "数量", "品类", "渠道"],
        rows,
        "gbk",
        ",",
    )


def portuguese_marketplace(folder: Path) -> None:
    """A marketplace in UTF-8: clientes, pedidos, itens_pedido, devolucoes, and avaliacoes in words."""
    draw = random.Random(3)
    people, orders, items, returns, reviews = [], [], [], [], []
    words = ["Muito insatisfeito", "Insatisfeito", "Neutro", "Satisfeito", "Muito satisfeito"]
    for number in range(250):
        people.append(
            [
                number + 5000,
                f"Cliente {number}",
                draw.choice(["SP", "RJ", "MG", "BA", "PR", "SC", "RS", "PE", "CE", "GO"]),
                f"{draw.randrange(10**10):011d}",
            ]
        )
        day = START + timedelta(days=draw.randrange(90))
        while day < date(2024, 12, 20):
            order = 900000 + len(orders)
            arrived = day + timedelta(days=draw.randrange(2, 12))
            orders.append(
                [
                    order,
                    number + 5000,
                    f"{day:%d/%m/%Y} 13:{draw.randrange(60):02d}",
                    f"{day + timedelta(days=8):%d/%m/%Y}",
                    f"{arrived:%d/%m/%Y}",
                    "entregue",
                ]
            )
            for line in range(draw.randrange(1, 4)):
                items.append(
                    [
                        order,
                        line + 1,
                        f"SKU{draw.randrange(40):03d}",
                        draw.randrange(1, 4),
                        f"{draw.uniform(5, 300):.2f}",
                    ]
                )
            if draw.random() < 0.08:
                returns.append(
                    [
                        order,
                        f"{arrived + timedelta(days=4):%d/%m/%Y}",
                        f"{draw.uniform(5, 90):.2f}",
                        draw.choice(["defeito", "tamanho errado"]),
                    ]
                )
            if draw.random() < 0.6:
                reviews.append(
                    [
                        order,
                        f"{arrived + timedelta(days=1):%d/%m/%Y} 09:00",
                        draw.choices(words, [1, 1, 2, 4, 6])[0],
                        draw.choice(["", f"Chegou no prazo, gostei muito {len(reviews)}"]),
                    ]
                )
            day += timedelta(days=draw.randrange(10, 90))
    _write(folder / "clientes.csv", ["id_cliente", "nome", "uf", "cpf"], people, "utf-8", ",")
    _write(
        folder / "pedidos.csv",
        ["id_pedido", "id_cliente", "data_pedido", "previsao_entrega", "data_entrega", "situacao"],
        orders,
        "utf-8",
        ",",
    )
    _write(
        folder / "itens_pedido.csv",
        ["id_pedido", "sequencia", "produto", "quantidade", "preco_unitario"],
        items,
        "utf-8",
        ",",
    )
    _write(
        folder / "devolucoes.csv",
        ["id_pedido", "data_devolucao", "valor_reembolso", "motivo"],
        returns,
        "utf-8",
        ",",
    )
    _write(
        folder / "avaliacoes.csv",
        ["id_pedido", "data_resposta", "satisfacao", "comentario"],
        reviews,
        "utf-8",
        ",",
    )


def telco_workbook(folder: Path) -> None:
    """A telco in one workbook: sheets Subscribers, Subscription Events, Bills, Trouble Tickets, NPS.

    Dates are Excel dates, NPS is 0 to 10 with 99 for no answer; cancellations end contracts.
    """
    draw = random.Random(4)
    folder.mkdir(parents=True, exist_ok=True)
    book = xlsxwriter.Workbook(
        str(folder / "export.xlsx"), {"default_date_format": "yyyy-mm-dd hh:mm"}
    )
    sheets: dict[str, Rows] = {
        "Subscribers": [["Subscriber ID", "Full Name", "Region", "Plan", "Gender", "Churned"]],
        "Subscription Events": [["Subscriber ID", "Event Date", "Event Type", "Plan"]],
        "Bills": [["Bill No", "Subscriber ID", "Bill Date", "Total Amount", "VAT"]],
        "Trouble Tickets": [
            [
                "Ticket No",
                "Subscriber ID",
                "Opened",
                "First Response",
                "Resolved",
                "Priority",
                "Type",
                "Description",
            ]
        ],
        "NPS": [
            ["Subscriber ID", "Sent", "Answered", "How likely are you to recommend us", "Comment"]
        ],
    }
    end = datetime.combine(date(2024, 12, 31), time())
    for number in range(260):
        key, begin = (
            700100 + number,
            datetime.combine(date(2023, 1, 1), time())
            + timedelta(days=draw.randrange(300), hours=9),
        )
        leaves = begin + timedelta(days=draw.randrange(90, 900)) if draw.random() < 0.5 else end
        gone, plan = leaves < end, draw.choice(["S", "M", "L"])
        sheets["Subscribers"].append(
            [
                key,
                f"Person {number}",
                draw.choice(["North", "South"]),
                plan,
                draw.choice(["f", "m"]),
                "Yes" if gone else "No",
            ]
        )
        sheets["Subscription Events"].append([key, begin, "Activation", plan])
        if gone:
            sheets["Subscription Events"].append([key, leaves, "Termination", plan])
        day = begin
        while day < min(leaves, end):
            sheets["Bills"].append(
                [f"B{len(sheets['Bills']):06d}", key, day, round(draw.uniform(10, 60), 2), 3.1]
            )
            day += timedelta(days=30)
        for _ in range(draw.randrange(4)):
            opened = begin + timedelta(days=draw.randrange(200), hours=draw.randrange(20))
            sheets["Trouble Tickets"].append(
                [
                    f"T{len(sheets['Trouble Tickets']):05d}",
                    key,
                    opened,
                    opened + timedelta(hours=draw.randrange(1, 30)),
                    opened + timedelta(days=draw.randrange(2, 9)),
                    draw.choice(["Low", "Medium", "High"]),
                    draw.choice(["Complaint", "Question"]),
                    f"line {number} does not work {opened:%d}",
                ]
            )
        for _ in range(2):
            sent = begin + timedelta(days=draw.randrange(20, 300))
            answered = draw.random() < 0.6
            sheets["NPS"].append(
                [
                    key,
                    sent,
                    sent + timedelta(days=2) if answered else None,
                    draw.choice([*range(11), 99]) if answered else None,
                    "",
                ]
            )
    for title, rows in sheets.items():
        sheet = book.add_worksheet(title)
        for index, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(index, column, value)
    book.close()


def survey_lines(folder: Path) -> None:
    """An app: packed JSON lines with objects in objects; purchases, feedback in words, times in UTC."""
    draw = random.Random(5)
    folder.mkdir(parents=True, exist_ok=True)
    words = ["Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied", "Very satisfied"]
    lines: dict[str, list[dict[str, Any]]] = {"purchases": [], "feedback": []}
    for number in range(200):
        key = f"u-{number:04x}"
        moment = datetime.combine(date(2023, 1, 1), time()) + timedelta(
            days=draw.randrange(80), minutes=draw.randrange(1440)
        )
        while moment < datetime.combine(date(2024, 12, 20), time()):
            lines["purchases"].append(
                {
                    "user": {"id": key, "country": draw.choice(["Germany"] * 5 + ["Austria"])},
                    "purchased_at": f"{moment:%Y-%m-%dT%H:%M:%S}Z",
                    "total": round(draw.uniform(1, 80), 2),
                    "currency": "EUR",
                    "platform": draw.choice(["ios", "android"]),
                }
            )
            if draw.random() < 0.3:
                lines["feedback"].append(
                    {
                        "user": {"id": key},
                        "submitted_at": f"{moment + timedelta(hours=5):%Y-%m-%dT%H:%M:%S}Z",
                        "satisfaction": draw.choices(words, [1, 1, 2, 4, 4])[0],
                        "text": f"it works for me, number {len(lines['feedback'])}",
                    }
                )
            moment += timedelta(days=draw.randrange(4, 50), minutes=draw.randrange(600))
    for name, rows in lines.items():
        text = "\n".join(json.dumps(row) for row in rows)
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode()))


def messy_export(folder: Path) -> None:
    """A dealer's export: monthly files with lines above the header, tabs, US dates and dollars.

    Returns are negative quantities. `notes.docx` and an empty file are no data.
    """
    draw = random.Random(6)
    rows: dict[str, Rows] = {}
    for number in range(220):
        day = START + timedelta(days=draw.randrange(60))
        while day < date(2024, 6, 20):
            for _ in range(draw.randrange(1, 4)):
                product = draw.randrange(30)
                pieces = draw.choice([1, 2, 3, 10])
                sign = -1 if draw.random() < 0.05 else 1
                rows.setdefault(f"{day:%Y-%m}", []).append(
                    [
                        f"INV{number:03d}{day:%y%m%d}",
                        f"C-{number:04d}",
                        f"{day:%m/%d/%Y}",
                        f"P{product:02d}",
                        sign * pieces,
                        f"${(product + 1) * 41.5:,.2f}",
                    ]
                )
            day += timedelta(days=draw.randrange(10, 70))
    folder.mkdir(parents=True, exist_ok=True)
    for month, lines in rows.items():
        text = io.StringIO()
        text.write(f"Sales report\nMonth {month}\n")
        csv.writer(text, delimiter="\t", lineterminator="\n").writerows(
            [["Invoice No", "Cust No", "Invoice Date", "Item", "Qty", "Unit Price"], *lines]
        )
        (folder / f"sales_{month}.txt").write_text(text.getvalue(), encoding="utf-8")
    (folder / "notes.docx").write_bytes(b"PK")
    (folder / "empty.csv").write_bytes(b"")
