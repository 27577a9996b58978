with fingerprints as (
    select * from {{ ref('int_ledger_fingerprints') }}
),

fingerprints_before as (
    select * from {{ source('builds', 'ledger_fingerprints') }}
),

to_compute as (
    select coalesce(fingerprints.customer_key, fingerprints_before.customer_key) as customer_key
    from fingerprints
    full outer join fingerprints_before
        on fingerprints.customer_key = fingerprints_before.customer_key
    where fingerprints.fingerprint is distinct from fingerprints_before.fingerprint
)

select * from to_compute
