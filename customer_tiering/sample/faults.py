"""What is wrong in real extracts: broken rows of every kind, and rows that come twice."""

from __future__ import annotations

from functools import partial

from customer_tiering.sample.company import COLUMNS, Company, Row

# A row for each value, good but for this one, which its required column does not allow: rejected.
REJECTED = {
    "customers": {"customer_id": ["", "  "]},
    "orders": {
        "order_id": ["", "   "],
        "ordered_at": ["", "yesterday", "2024-13-05 10:00:00", "05.03.2024"]
        + ["1999-12-31 10:00:00", "1970-01-01", "2999-12-31 00:00:00"],
        "status": ["", "on hold", "lost_in_transit", "已冻结"],
        "order_amount": ["", "abc", "1,234.50", "NaN", "-59.00"],
        "currency_code": ["RMB¥", "US"],
        "is_test": ["maybe"],
    },
    "order_items": {"order_id": ["", "99999998"], "line_number": ["", "first"]},
    "products": {"product_id": [""]},
    "refunds": {
        "refund_id": [""],
        "order_id": ["", "99999999", "99999997"],
        "refunded_at": ["", "31/12/2024"],
        "refund_amount": ["", "ten", "-10.00"],
    },
    "exchange_rates": {
        "rate_date": ["", "2024-02-30"],
        "currency_code": ["", "DOLLAR"],
        "rate_to_reporting": ["", "seven", "0", "-7.1"],
    },
    "customer_merges": {
        "from_customer_id": [""],
        "into_customer_id": [""],
        "merged_at": ["", "last week"],
    },
    "account_balances": {
        "customer_id": [""],
        "balance_date": ["2024-04-31"],
        "balance_amount": ["", "n/a"],
        "currency_code": ["¥"],
    },
    "customer_attributes": {"customer_id": [""], "attribute": [""], "value": [""]},
    "interactions": {"interaction_id": [""], "customer_id": [""], "occurred_at": ["noon"]},
    "tickets": {"ticket_id": [""], "customer_id": [""], "opened_at": ["2023-02-29 08:00:00"]},
    "survey_responses": {
        "response_id": [""],
        "responded_at": [""],
        "score": ["", "eleven", "11"],
    },
    "referrals": {"referral_id": [""], "referrer_customer_id": [""], "referred_at": ["?"]},
    "campaigns": {"campaign_id": [""], "starts_on": ["spring"]},
    "campaign_contacts": {"campaign_id": [""], "customer_id": [""], "contacted_at": ["", "soon"]},
    "erasure_requests": {"customer_id": [""], "requested_at": ["asap"]},
}
# Put into a row that stays: an optional value that cannot be read or is not allowed becomes NULL.
NULLED = {
    "customers": {
        "customer_type": ["robot"],
        "birth_date": ["1850-06-01", "1990-02-31", "2999-01-01"],
        "country_code": ["ATLANTIS", "8"],
        "signed_up_at": ["long ago"],
        "marketing_consent": ["perhaps"],
        "updated_at": ["2024-00-10"],
    },
    "orders": {
        "discount_amount": ["-5.00", "free"],
        "cancelled_at": ["soon"],
        "returned_at": ["2024-02-30"],
        "updated_at": ["n/a"],
    },
    "order_items": {"quantity": ["two"], "line_amount": ["n/a"]},
    "products": {"product_type": ["gadget"]},
    "customer_attributes": {"updated_at": ["?"]},
    "interactions": {"duration_seconds": ["short"], "interaction_type": ["telepathy"]},
    "tickets": {"satisfaction_score": ["9"], "closed_at": ["never"], "ticket_type": ["rant"]},
    "survey_responses": {"survey_type": ["stars"]},
    "referrals": {"converted_at": ["later"]},
    "campaigns": {"cost_amount": ["a lot"]},
    "campaign_contacts": {"contact_group": ["maybe"]},
}
# Rows that come twice, letter by letter; of every other table two.
EXACT_DUPLICATES = {"customers": 8, "orders": 24, "order_items": 12, "refunds": 5}
# Tables whose first column is a key of their own, which the rejected copy of a row gets anew.
NUMBERED = (
    "customers orders products refunds interactions tickets survey_responses referrals campaigns"
)


def is_filled(column: str, row: Row) -> bool:
    """Whether a row has a value in a column."""
    return row[column] != ""


def tell_faults(company: Company) -> None:
    """Broken rows of every kind, and rows that come twice."""
    rng = company.stream("faults")
    for table, faults in REJECTED.items():
        pairs = [(column, value) for column, values in faults.items() for value in values]
        models = company.take(rng, table, len(pairs))
        for number, (column, value) in enumerate(pairs):
            row = dict(models[number % len(models)])
            if table in NUMBERED.split():
                row[COLUMNS[table][0]] = f"Z{number:02d}"
            elif table == "order_items":
                row["line_number"] = str(90 + number)
            company.append(table, {**row, column: value})
    for table, faults in NULLED.items():
        for column, values in faults.items():
            filled = company.take(rng, table, len(values), partial(is_filled, column))
            for row, value in zip(filled, values, strict=False):
                row[column] = value
    for table, rows in company.tables.items():
        rows += [dict(row) for row in company.take(rng, table, EXACT_DUPLICATES.get(table, 2))]
