{# dbt compares the texts of what is expected and of what came, and PostgreSQL writes the zeros at a number's end. #}
{% macro postgres__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {% set types = customer_tiering.types_of('(' ~ main_sql ~ ') as main') %}
    {% set columns = [] %}
    {% for quoted in expected_column_names %}
        {% set is_decimal = types[quoted | replace('"', '')].startswith('numeric') %}
        {% do columns.append('trim_scale(' ~ quoted ~ ') as ' ~ quoted if is_decimal else quoted) %}
    {% endfor %}
    with dbt_internal_unit_test_actual as (
        select {{ columns | join(', ') }}, 'actual' as actual_or_expected
        from (
            {{ main_sql }}
        ) as main
    )

    select * from dbt_internal_unit_test_actual
    union all
    select {{ columns | join(', ') }}, 'expected' as actual_or_expected
    from (
        {{ expected_fixture_sql }}
    ) as expected
{%- endmacro %}
