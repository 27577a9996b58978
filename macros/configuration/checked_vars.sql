{# The vars that end up inside SQL text, checked before they do. #}

{% macro time_zone(name) -%}
    {%- if not modules.re.fullmatch('[A-Za-z0-9_+/-]{1,64}', name | string) -%}
        {{ exceptions.raise_compiler_error(
            "dbt_project.yml, vars: a time zone is '" ~ name ~ "'; allowed is an IANA name such as Asia/Shanghai."
        ) }}
    {%- endif -%}
    {{ return(name | string) }}
{%- endmacro %}


{# The zones of raw times and of business dates as SQL texts. #}
{% macro source_time_zone() -%}
    {{ return("'" ~ customer_tiering.time_zone(var('source_time_zone')) ~ "'") }}
{%- endmacro %}

{% macro business_time_zone() -%}
    {{ return("'" ~ customer_tiering.time_zone(var('business_time_zone')) ~ "'") }}
{%- endmacro %}


{% macro iso_date(name, value) -%}
    {%- if not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', value | string) -%}
        {{ exceptions.raise_compiler_error(
            "dbt_project.yml, vars: " ~ name ~ " is '" ~ value ~ "'; allowed is an ISO date such as 2025-12-31."
        ) }}
    {%- endif -%}
    {{ return(value | string) }}
{%- endmacro %}


{# The run's own business date as an SQL literal. The only place that looks at a clock, and only at the
   start of the run, so that every model of a run has the same. #}
{% macro run_date() -%}
    {%- set value = var('run_date') | string -%}
    {%- if value == 'today' -%}
        {%- set zone = modules.pytz.timezone(customer_tiering.time_zone(var('business_time_zone'))) -%}
        {%- set value = run_started_at.astimezone(zone).date().isoformat() -%}
    {%- endif -%}
    {{ return("date '" ~ customer_tiering.iso_date('run_date', value) ~ "'") }}
{%- endmacro %}


{# A var that is one of a few words. #}
{% macro chosen(name, allowed) -%}
    {%- set value = var(name) | string -%}
    {%- if value not in allowed -%}
        {{ exceptions.raise_compiler_error(
            "dbt_project.yml, vars: " ~ name ~ " is '" ~ value ~ "'; allowed is one of "
            ~ allowed | join(', ') ~ "."
        ) }}
    {%- endif -%}
    {{ return(value) }}
{%- endmacro %}


{# A var that is a whole number within limits. #}
{% macro whole_number(name, smallest, largest) -%}
    {%- set value = var(name) | string -%}
    {%- if not modules.re.fullmatch('[0-9]{1,9}', value) or value | int < smallest or value | int > largest -%}
        {{ exceptions.raise_compiler_error(
            "dbt_project.yml, vars: " ~ name ~ " is '" ~ value ~ "'; allowed is a whole number from "
            ~ smallest ~ " to " ~ largest ~ "."
        ) }}
    {%- endif -%}
    {{ return(value | int) }}
{%- endmacro %}


{# The first business date that an order may have, as an SQL literal. #}
{% macro history_starts_on() -%}
    {{ return("date '" ~ customer_tiering.iso_date('history_starts_on', var('history_starts_on')) ~ "'") }}
{%- endmacro %}


{# Whether customer ids are replaced by keyed pseudonyms. #}
{% macro is_pseudonymising() -%}
    {{ return(customer_tiering.chosen('pseudonymise_ids', ['true', 'false', 'True', 'False']) | lower == 'true') }}
{%- endmacro %}
