"""Language identification of short, mixed and misspelt texts, and of other languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.text.language_id import LANGUAGES, detect_language

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # LeIA leaves files open

TEXTS = {
    "zh": [
        "很好", "質量不錯", "收到了", "差", "这个季度，货又送晚了", "OK，满意", "B2B平台很好用",
        "價格合理", "用了App以后下单方便多了", "5星", "没什么", "Good 产品", "物流速度thanks",
    ],
    "en": [
        "good", "Great", "never again", "Where is my order?", "The goods came late again.",
        "works", "not recommended", "5 stars, thanks", "poor quality", "ARRIVED BROKEN",
        "it's fine", "I paid for express shipping and nothing arrived",
        "Shipped to Müller on time",
    ],
    "pt": [
        "bom", "Ótimo", "otimo produto", "Não recebi", "NAO CHEGOU", "ainda nao chegou",
        "recomendo", "Excelente", "muito bom mesmo", "tudo ok", "péssimo", "veio com defeito",
        "cade meu pedido", "Gostei", "ninguém responde", "entrega rápida", "Obrigada",
        "produto conforme anunciado",
    ],
    None: [
        "", "   ", "123", "!!!", "😀", "xkcd", "Muy buen producto", "No llegó a tiempo", "Gracias",
        "Très bon produit", "je ne suis pas content du service", "Sehr gut",
        "Lieferung war zu spät", "Ottimo prodotto, grazie", "Zeer tevreden met de levering",
        "とても良かったです", "配送が遅い", "좋아요", "배송이 늦었어요 服務", "Хорошо, спасибо",
        "ممتاز", "Çok teşekkürler", "Bardzo dobry produkt", "Mycket bra produkt",
        "Barang bagus, terima kasih", "la entrega fue muy rapida y todo bien",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"), [(text, expected) for expected, texts in TEXTS.items() for text in texts]
)
def test_detect_language(text, expected):
    assert detect_language(text) == expected


@given(st.text(max_size=80))
def test_any_text_has_a_known_language_or_none(text):
    assert detect_language(text) in {*LANGUAGES, None}
    assert detect_language(text) == detect_language(text + " ")
