-- dbt reads the word null of a seed as NULL on engines into which it writes seeds itself
with nobody_words as (
    select
        coalesce(word, 'null') as word,
        holds
    from {{ ref('nobody_words') }}
),

landed as (
    select * from {{ source('crm', 'customers') }}
),

-- customers who are called like one of the words
called as (
    select distinct read_id(landed.customer_id) as customer_id
    from landed
    where
        read_id(landed.customer_id) in (
            select nobody_words.word from nobody_words where nobody_words.holds = 'unless_customer'
        )
),

nobody as (
    select lower_case(nobody_words.word) as word
    from nobody_words
    left join called on nobody_words.word = called.customer_id
    where nobody_words.holds = 'always' or called.customer_id is null
),

listed as (
    select {{ ordered_list('word', 'word') }} as words from nobody
)

select * from listed
