"""Sentiment: the sign of sentences in three languages, missing values, and arbitrary texts."""

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.sample_company.simulated_comments import LANGUAGES, SHAPE, all_texts
from features.settings import find_workspace, real_data_root
from features.text.sentiment import score_sentiment

#: LeIA leaves files of its lexicon open when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

GOOD = {
    "pt": [
        "Produto excelente, recomendo!", "Chegou antes do prazo, muito bom.",
        "Não tenho do que reclamar", "Sem problemas, tudo certo", "Nunca atrasou uma entrega",
        "Não é ruim", "nao tive nenhum problema",
        "Demorou um pouco, mas o produto é perfeito e lindo", "Bom", "otimo", "Gostei bastante",
        "Atendimento rápido e eficiente", "tudo ok, dentro do prazo", "Amei!!!",
        "Superou minhas expectativas", "ótima qualidade e preço justo",
        "A equipe é muito atenciosa", "Entrega rápida e bem embalado",
        "Fiquei muito satisfeita com a compra", "Vale a pena, compro sempre", "show de bola",
    ],
    "en": [
        "Very good service", "Not bad at all", "No complaints", "Never late, always reliable",
        "We had no problems", "The delivery was not late",
        "It was slow at first, but the team was excellent", "On time, as promised",
        "I can't fault them", "Couldn't be happier", "Highly recommended",
        "Thanks, works perfectly", "Our contact is competent and kind.", "good value for money",
        "Shipments come even before the promised day", "We will gladly order again",
        "The problem was solved quickly", "Great!", "friendly staff and fair prices",
        "We've never been disappointed", "Everything arrived undamaged and well packed",
    ],
    "zh": [
        "非常满意", "不是不满意", "质量很好，送货及时", "没有问题", "服务不错", "从来没有让我失望",
        "还不错", "没有什么不好", "虽然有点贵，但是质量非常好", "物流很快",
        "客服很耐心，问题解决了", "值得推荐", "包装完好，没有破损", "很喜欢，下次还会来",
        "价格公道", "服務熱情，準時，滿意", "沒有任何問題", "一點也不貴", "售后服务很专业",
        "比约定日期还早到", "态度不差",
    ],
}  # fmt: skip
BAD = {
    "pt": [
        "O produto não é bom", "nao gostei", "Nada bom", "Produto excelente mas atrasou muito",
        "Não recebi o produto", "Ainda não chegou", "Péssimo atendimento",
        "Não recomendo a ninguém", "Veio quebrado", "Nunca mais compro nessa loja",
        "produto de má qualidade", "Entrega muito demorada", "Não funciona", "ninguém responde",
        "Fiquei decepcionada", "Quero meu dinheiro de volta", "Nao e muito bom",
        "Bonito, porém não funciona", "A entrega não foi rápida", "horrível", "Veio errado",
    ],
    "en": [
        "Not good", "not very good", "The service is not good", "I do not recommend it",
        "It's not worth the money", "Never again", "Nobody answers our mails",
        "Nice product, but it arrived broken", "It never arrived", "The quality has become poor.",
        "too expensive", "Far from perfect", "The package was damaged",
        "I wasn't happy with the support", "They weren't helpful", "Late again", "doesn't work",
        "awful", "Good price but terrible quality", "We are looking at other suppliers.",
        "You cannot rely on them",
    ],
    "zh": [
        "不满意", "不太好", "有点慢", "非常失望", "质量不好", "服务不是很好", "一点都不满意",
        "没那么好", "送货不及时", "质量很好，但是送货太慢", "客服不专业", "太贵了", "没收到货",
        "没人回复", "收到的时候已经坏了", "再也不会买了", "態度很差", "不推荐", "又送晚了",
        "產品品質越來越差", "等了好久还没到",
    ],
}  # fmt: skip
#: From the most negative to the most positive.
LADDERS = {
    "english": [
        "Terrible service, I am very disappointed and angry.",
        "The order arrived on Tuesday.",
        "Excellent quality, fast delivery, we love it!",
    ],
    "portuguese": [
        "Péssimo, o produto veio quebrado e estou muito decepcionado.",
        "O produto chegou na terça.",
        "Excelente produto, entrega ótima, recomendo muito!",
    ],
    "chinese": [
        "质量很差，送货太慢，非常失望。",
        "星期二收到货。",
        "质量很好，送货及时，非常满意！",
    ],
    "traditional chinese": ["態度冷淡，遲到，很失望。", "星期二到。", "服務熱情，準時，滿意。"],
}


@pytest.mark.parametrize("language", GOOD)
@pytest.mark.parametrize(("sentences", "sign"), [(GOOD, 1), (BAD, -1)], ids=["good", "bad"])
def test_the_sign_of_sentences(language, sentences, sign):
    texts = sentences[language]
    found = score_sentiment(texts)
    wrong = [(t, round(s, 2)) for t, s in zip(texts, found, strict=True) if not s * sign > 0]
    assert not wrong


def test_the_sign_of_the_sample_companys_comments():
    texts = all_texts().reshape(SHAPE)
    for language in range(len(LANGUAGES)):
        bad, _, good = (score_sentiment(t.ravel().tolist()) for t in texts[language])
        assert (bad < 0).mean() > 0.85
        assert (good > 0).mean() > 0.9


@pytest.mark.real_data
def test_the_sign_of_real_comments_in_portuguese():
    """87% of the reviews with one, two, four or five stars, including those not analysed."""
    path = real_data_root(find_workspace()) / "olist_sample/order_reviews.parquet"
    if not path.exists():
        pytest.skip(f"no {path}; set GOODWILL_REAL_DATA")
    stars, texts = zip(*duckdb.sql(
        "select review_score, concat_ws('. ', review_comment_title, review_comment_message) as text "
        f"from '{path}' where review_score <> 3 and trim(text) <> ''"
    ).fetchall(), strict=True)  # fmt: skip
    found = score_sentiment(texts)
    assert np.isnan(found).mean() < 0.02
    assert (np.sign(found) == np.sign(np.array(stars) - 3)).mean() > 0.87


@pytest.mark.parametrize("texts", LADDERS.values(), ids=LADDERS)
def test_better_comments_score_higher(texts):
    negative, neutral, positive = score_sentiment(texts)
    assert -1 <= negative < -0.3
    assert negative < neutral < positive
    assert neutral == 0
    assert 0.3 < positive <= 1


@pytest.mark.parametrize(
    "rising",
    [
        ["非常不满意", "不满意", "有点不满意", "有点满意", "满意", "非常满意"],
        ["very bad", "bad", "a bit bad", "a bit good", "good", "very good"],
        ["muito ruim", "ruim", "um pouco ruim", "um pouco bom", "bom", "muito bom"],
    ],
)
def test_words_of_degree(rising):
    found = score_sentiment(rising)
    assert (np.diff(found) > 0).all(), found


def test_accents_and_capitals_do_not_matter_in_portuguese():
    one, *others = score_sentiment(["Não é bom", "nao e bom", "NÃO É BOM", "Na\u0303o e\u0301 bom"])
    assert one < 0
    assert others == [one] * 3


def test_traditional_and_simplified_characters_score_the_same():
    pairs = [("服務熱情，價格實惠", "服务热情，价格实惠"), ("貨壞了，態度惡劣", "货坏了，态度恶劣")]
    for traditional, simplified in pairs:
        assert score_sentiment([traditional]) == score_sentiment([simplified])


def test_both_languages_of_a_mixed_text_count():
    both, chinese, worse = score_sentiment(
        ["服务很好, very good", "服务很好", "服务很好, but terrible support"]
    )
    assert both > chinese > worse


@pytest.mark.parametrize(
    "text",
    [
        "Muy buen producto, lo recomiendo", "Très bon produit, livraison rapide",
        "Sehr schlechte Qualität", "Ottimo prodotto, consegna veloce", "とても良い商品です",
        "정말 좋은 제품입니다", "Очень хороший товар", "منتج ممتاز",
        "Heel goed product, snelle levering", "xkcd qwrt zzz", "12345", "???", "Çok güzel ürün",
    ],
)  # fmt: skip
def test_other_languages_are_missing(text):
    assert np.isnan(score_sentiment([text])).all()


def test_emoji_count_in_every_language_and_alone():
    found = score_sentiment(["👍👍", "😡", "ok 😡", "还行 😡", "tudo 😍"])
    assert (np.sign(found) == [1, -1, -1, -1, 1]).all(), found


def test_blank_texts_are_missing():
    found = score_sentiment([None, "", " \t\n\u3000", "ok"])
    assert np.isnan(found[:3]).all()
    assert not np.isnan(found[3])
    assert score_sentiment([]).shape == (0,)
    assert score_sentiment([]).dtype == np.float64


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text("不没太很好差满意nãoéõ!?'\" :)-", max_size=30))
def test_any_text_has_a_valid_and_repeatable_score(text):
    one, other = score_sentiment([text]), score_sentiment([text, text])
    assert np.isnan(one).all() or abs(one[0]) <= 1
    np.testing.assert_array_equal(other, [one[0], one[0]])
    if not text.strip():
        assert np.isnan(one).all()


@pytest.mark.slow
def test_long_and_strange_texts():
    texts = ["good " * 5000, "差" * 20_000, "😀" * 300, "the " * 20_000, "não " * 20_000]
    found = score_sentiment(texts)
    assert np.isfinite(found).all()
    assert found[0] > 0.9
    assert found[1] < -0.9
    assert np.isnan(score_sentiment(["\ud800", "\x00", "{}%", "a" * 100_000])).all()
