{# Beside the tiers to publish now, those customers would look as if they had changed. #}
{% macro name_no_tier() %}
    {% if load_cached_relation(this) %}
        update {{ this }} set tier_code = 'none' where tier_code is null
    {% endif %}
{% endmacro %}
