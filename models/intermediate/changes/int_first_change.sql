with fingerprints as (
    select * from {{ ref('int_fact_fingerprints') }}
),

fingerprints_before as (
    select * from {{ source('builds', 'fact_fingerprints') }}
),

last_build as (
    select as_of_date from {{ source('builds', 'last_build') }} where as_of_date is not null
),

changed as (
    select min(coalesce(fingerprints.known_on, fingerprints_before.known_on)) as known_on
    from fingerprints
    full outer join fingerprints_before
        on
            fingerprints.fact_table = fingerprints_before.fact_table
            and fingerprints.known_on = fingerprints_before.known_on
    where fingerprints.fingerprint is distinct from fingerprints_before.fingerprint
),

-- the last build has not seen facts known after its as_of_date
first_change as (
    select least(changed.known_on, last_build.as_of_date + 1) as changed_from
    from last_build
    cross join changed
)

select * from first_change
