{# The value of a var, once it is what `settings` allows: it can stand inside SQL text. #}
{% macro setting(name) -%}
    {{ return(customer_tiering.checked_value(name, var(name), customer_tiering.settings()[name])) }}
{%- endmacro %}


{# A value that a rule allows: a number, true or false, a mapping, or else a text. #}
{% macro checked_value(name, value, rule) -%}
    {%- set text = value | string -%}
    {%- if rule.type == 'number' -%}
        {%- set is_allowed = modules.re.fullmatch('[0-9]{1,10}', text) and rule.from <= text | int <= rule.to -%}
    {%- elif rule.type in ('days_by_table', 'limits_by_table') -%}
        {# the raw tables' own check follows #}
        {%- set is_allowed = value is mapping -%}
    {%- elif rule.type == 'folder' -%}
        {# the landing takes each character for itself; the command line is stricter #}
        {%- set is_allowed = true -%}
    {%- else -%}
        {%- set is_allowed = text in rule.words | default([]) or rule.pattern and modules.re.fullmatch(rule.pattern, text) -%}
    {%- endif -%}
    {%- if not is_allowed -%}
        {{ exceptions.raise_compiler_error(
            "dbt_project.yml, vars: " ~ name ~ " is '" ~ text ~ "'; allowed is "
            ~ customer_tiering.allowed_by(rule) ~ "."
        ) }}
    {%- endif -%}
    {%- if rule.type == 'number' -%}{{ return(text | int) }}{%- endif -%}
    {%- if rule.type == 'boolean' -%}{{ return(text | lower == 'true') }}{%- endif -%}
    {{ return(value if value is mapping else text) }}
{%- endmacro %}


{# The zones of raw times and of business dates as SQL texts. #}
{% macro source_time_zone() -%}
    {{ return("'" ~ customer_tiering.setting('source_time_zone') ~ "'") }}
{%- endmacro %}

{% macro business_time_zone() -%}
    {{ return("'" ~ customer_tiering.setting('business_time_zone') ~ "'") }}
{%- endmacro %}


{# The run's own business date as an SQL literal. The only place that looks at a clock, and only at the
   start of the run, so that every model of a run has the same. #}
{% macro run_date() -%}
    {%- set day = customer_tiering.setting('run_date') -%}
    {%- if day == 'today' -%}
        {%- set zone = modules.pytz.timezone(customer_tiering.setting('business_time_zone')) -%}
        {%- set day = run_started_at.astimezone(zone).date().isoformat() -%}
    {%- endif -%}
    {{ return("date '" ~ day ~ "'") }}
{%- endmacro %}


{# The first business date that an order may have, as an SQL literal. #}
{% macro history_starts_on() -%}
    {{ return("date '" ~ customer_tiering.setting('history_starts_on') ~ "'") }}
{%- endmacro %}
