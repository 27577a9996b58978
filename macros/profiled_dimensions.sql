{# By what segment_profiles describes customers, beside the attributes that a var names. #}
{% macro profiled_dimensions() -%}
    {{ return([
        'age_band', 'gender', 'region', 'city', 'country_code', 'customer_type', 'industry', 'company_size'
    ]) }}
{%- endmacro %}
