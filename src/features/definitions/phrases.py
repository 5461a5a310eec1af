"""The texts and number formats of features for people, declared with each feature."""

from dataclasses import dataclass

#: Common survey dimensions, topics of comments and CRM attributes in Chinese.
CHINESE_VALUES = {
    "overall": "总体", "product": "产品", "service": "服务", "price": "价格", "delivery": "配送",
    "staff": "员工", "environment": "环境", "image": "形象", "quality": "质量", "billing": "账单",
    "website": "网站", "packaging": "包装",
    "industry": "行业", "company_size": "企业规模", "region": "地区", "plan": "套餐",
    "account_owner": "客户经理", "customer_since": "成为客户的年份", "market_coverage": "市场覆盖率",
    "credit_limit": "信用额度", "age": "年龄", "size": "规模", "country": "国家", "city": "城市",
}  # fmt: skip


@dataclass(frozen=True)
class Phrases:
    """A feature in the words of a salesperson: a noun phrase in English and in Chinese.

    With `{n}` a phrase is a complete sentence around the value. `form` is the format of a value: a
    unit, or share, negative share, lateness, gap, of 4.
    """

    en: str = ""
    zh: str = ""
    form: str = ""


PLAIN = Phrases()
