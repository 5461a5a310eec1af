// Generated from insight/business_report/locale/messages_en.toml: stored messages and their translation.

export const MESSAGES = [
  ["{title}: no data in {n} rows; {remedy}", "no data; {remedy}"],
  ["not better than the rule: {rest}", "not better than the baseline rule: {rest}"],
];
