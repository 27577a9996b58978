{% macro setting(name) -%}
    {{ return(customer_tiering.checked_value(name, var(name), customer_tiering.settings()[name])) }}
{%- endmacro %}


{% macro checked_value(name, value, rule) -%}
    {%- set text = value | string -%}
    {%- if rule.type == 'number' -%}
        {%- set is_allowed = modules.re.fullmatch('[0-9]{1,10}', text) and rule.from <= text | int <= rule.to -%}
    {%- elif rule.type in ('days_by_table', 'limits_by_table') -%}
        {# the raw tables' own check follows #}
        {%- set is_allowed = value is mapping -%}
    {%- elif rule.type == 'names' -%}
        {%- set is_list = value is sequence and value is not string and value is not mapping -%}
        {%- set found = namespace(names=[]) -%}
        {%- for name in value if is_list and name is string and modules.re.fullmatch(rule.pattern, name) -%}
            {%- set found.names = found.names + ([name] if name not in found.names else []) -%}
        {%- endfor -%}
        {%- set is_allowed = is_list and found.names | length == value | length -%}
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
    {{ return(value if value is mapping or rule.type == 'names' else text) }}
{%- endmacro %}


{% macro source_time_zone() -%}
    {{ return("'" ~ customer_tiering.setting('source_time_zone') ~ "'") }}
{%- endmacro %}

{% macro business_time_zone() -%}
    {{ return("'" ~ customer_tiering.setting('business_time_zone') ~ "'") }}
{%- endmacro %}


{% macro run_date() -%}
    {%- set day = customer_tiering.setting('run_date') -%}
    {%- if day == 'today' -%}
        {%- set zone = modules.pytz.timezone(customer_tiering.setting('business_time_zone')) -%}
        {%- set day = run_started_at.astimezone(zone).date().isoformat() -%}
    {%- endif -%}
    {{ return("date '" ~ day ~ "'") }}
{%- endmacro %}


{% macro history_starts_on() -%}
    {{ return("date '" ~ customer_tiering.setting('history_starts_on') ~ "'") }}
{%- endmacro %}
