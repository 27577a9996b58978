{% macro both_labels(labels, name) -%}
    {{ labels }}_labels.label_en as {{ name }}_label_en,
    {{ labels }}_labels.label_zh as {{ name }}_label_zh
{%- endmacro %}
