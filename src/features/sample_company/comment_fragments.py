"""Comment fragments of the sample company by language, sentiment and topic."""

OPENINGS = {
    "en": (
        "From our side:",
        "Our honest view:",
        "To be clear:",
        "This quarter:",
        "As our buyer puts it:",
        "For the record:",
    ),
    "zh": (
        "就我们而言，",
        "说实话，",
        "最近一段时间，",
        "我们采购部认为，",
        "总体来说，",
        "这个季度，",
    ),
}

CLOSINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "bad": (
            "Please fix this.",
            "We are looking at other suppliers.",
            "This cannot go on.",
            "Someone should call us.",
            "",
        ),
        "mixed": (
            "It could be better.",
            "We will see how it develops.",
            "No more, no less.",
            "Room to improve.",
            "",
        ),
        "good": (
            "Keep it up.",
            "Many thanks to the team.",
            "We will gladly order again.",
            "We tell others about you.",
            "",
        ),
    },
    "zh": {
        "bad": (
            "请尽快解决。",
            "我们在考虑换供应商。",
            "不能再这样下去了。",
            "请派人联系我们。",
            "",
        ),
        "mixed": ("还可以更好。", "再观察一段时间。", "中规中矩。", "有改进的空间。", ""),
        "good": ("请继续保持。", "感谢贵公司团队。", "下次还会订购。", "会推荐给同行。", ""),
    },
}

Statements = dict[str, dict[str, tuple[str, ...]]]

_ENGLISH: Statements = {
    "bad": {
        "delivery": (
            "the goods came late again and our line stood still.",
            "promised dates are not kept.",
            "we waited more than a week for a late delivery.",
            "half of the shipments miss the agreed day.",
        ),
        "service": (
            "nobody answers our mails for days.",
            "our complaint is still open and support is slow.",
            "the ticket was closed although nothing was solved.",
            "we have to explain the same problem three times.",
        ),
        "quality": (
            "parts arrived damaged and had to go back.",
            "the quality has become poor.",
            "too many faulty pieces in the last batch.",
            "the goods are not what the data sheet says.",
        ),
        "price": (
            "prices went up again without a reason.",
            "you are too expensive by now.",
            "the new price list is hard to accept.",
            "others offer the same for clearly less.",
        ),
        "staff": (
            "our contact has changed again and knows nothing about us.",
            "the sales person was rude on the phone.",
            "nobody feels responsible for our account.",
            "we miss a competent person to talk to.",
        ),
        "other": (
            "we are not satisfied.",
            "working with you has become tiring.",
            "we expected much more.",
            "this is disappointing.",
        ),
    },
    "mixed": {
        "delivery": (
            "deliveries are mostly fine, now and then late.",
            "the delivery day moves a little too often.",
            "tracking works, the time windows are wide.",
        ),
        "service": (
            "support helps, but it takes its time.",
            "answers come, not always on the same day.",
            "the service desk is acceptable.",
        ),
        "quality": (
            "quality is average for the money.",
            "most items are fine, a few are not.",
            "the packaging could be stronger.",
        ),
        "price": (
            "prices are in the usual range.",
            "a better discount would help.",
            "price and service are just in balance.",
        ),
        "staff": (
            "the new contact still has to learn.",
            "people are friendly, sometimes hard to reach.",
            "our contact does what is asked.",
        ),
        "other": (
            "all in all it is fine.",
            "nothing special to report.",
            "neither good nor bad.",
        ),
    },
    "good": {
        "delivery": (
            "everything arrives on time.",
            "fast and reliable delivery.",
            "shipments come even before the promised day.",
        ),
        "service": (
            "support solved our problem within hours.",
            "quick and helpful answers.",
            "the service desk is excellent.",
        ),
        "quality": (
            "the quality is very good and constant.",
            "we had no faulty part this year.",
            "well made products, safely packed.",
        ),
        "price": (
            "fair prices for what we get.",
            "good value for money.",
            "the price list is clear and reasonable.",
        ),
        "staff": (
            "our contact is competent and kind.",
            "the sales team knows our needs.",
            "the visit of your colleague was a great help.",
        ),
        "other": (
            "we are very satisfied.",
            "a pleasant partnership.",
            "a supplier one can rely on.",
        ),
    },
}

_CHINESE: Statements = {
    "bad": {
        "delivery": (
            "货又送晚了，生产线停了半天。",
            "承诺的交期总是做不到。",
            "发货延误超过一周。",
            "物流太慢，经常迟到。",
        ),
        "service": (
            "投诉好几天没人回复。",
            "客服响应太慢，问题一直没解决。",
            "工单关了，问题还在。",
            "同一个问题要反复说明。",
        ),
        "quality": (
            "收到的零件有破损，只好退货。",
            "产品质量越来越差。",
            "上一批次品太多。",
            "实物与说明书不符。",
        ),
        "price": (
            "价格又涨了，没有任何解释。",
            "现在的价格太贵了。",
            "新价目表难以接受。",
            "别家同样的东西便宜很多。",
        ),
        "staff": (
            "对接人又换了，什么都不了解。",
            "销售人员态度很差。",
            "没有人对我们的客户关系负责。",
            "找不到懂业务的人沟通。",
        ),
        "other": ("我们很不满意。", "合作起来越来越累。", "与期望差距很大。", "让人失望。"),
    },
    "mixed": {
        "delivery": (
            "交货大多准时，偶尔会晚。",
            "到货日期变动有点多。",
            "物流信息还算清楚，时间段太宽。",
        ),
        "service": ("客服能帮忙，就是要等。", "有回复，但不一定当天。", "售后服务一般。"),
        "quality": ("质量与价格相当，一般。", "大部分没问题，少数有瑕疵。", "包装可以再结实一些。"),
        "price": ("价格在正常范围内。", "折扣再多一点就好了。", "性价比一般。"),
        "staff": ("新的对接人还需要熟悉。", "人很客气，有时联系不上。", "对接人按要求做事。"),
        "other": ("整体还行。", "没有什么特别的意见。", "不好也不坏。"),
    },
    "good": {
        "delivery": ("每次都准时到货。", "送货又快又稳。", "比约定日期还早到。"),
        "service": ("客服几个小时就解决了问题。", "回复快，很有帮助。", "售后服务非常好。"),
        "quality": ("质量很好，一直稳定。", "今年没有一个次品。", "做工好，包装牢固。"),
        "price": ("价格公道。", "性价比很高。", "价目表清楚合理。"),
        "staff": ("对接人专业又热情。", "销售团队很懂我们的需求。", "业务员上门拜访，帮助很大。"),
        "other": ("我们非常满意。", "合作愉快。", "值得信赖的供应商。"),
    },
}

#: Statements by language, mood and topic.
STATEMENTS: dict[str, Statements] = {"en": _ENGLISH, "zh": _CHINESE}
