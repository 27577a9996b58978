{% macro delete_preliminary_holdouts() %}
    {# named outside the fork, so that dbt knows the dependencies #}
    {% set campaigns = ref('int_campaigns') %}
    {% set as_of = ref('int_as_of') %}
    {% if is_incremental() %}
        delete from {{ this }}
        where
            is_preliminary
            and campaign_id not in (select campaign_id from {{ campaigns }} where has_begun)
            and (select max(as_of_date) from {{ as_of }}) >= (select max(assigned_on) from {{ this }})
    {% endif %}
{% endmacro %}
