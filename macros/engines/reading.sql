{# Reading raw values. A raw column has its file's own type: text in a CSV, anything in Parquet or a
   database. So everything here takes any type and gives NULL for what cannot be read. #}

{% macro try_cast(expression, data_type) -%}
    {{ return(adapter.dispatch('try_cast', 'customer_tiering')(expression, data_type)) }}
{%- endmacro %}

{% macro default__try_cast(expression, data_type) -%}
    try_cast({{ expression }} as {{ data_type }})
{%- endmacro %}


{# Text without the blanks around it; NULL when nothing is left. Most values have none, and looking at their
   ends is four times as fast as trimming them. #}
{% macro read_text(expression) -%}
    {{ return(adapter.dispatch('read_text', 'customer_tiering')(expression)) }}
{%- endmacro %}

{% macro default__read_text(expression) -%}
    {%- set text = 'cast(' ~ expression ~ ' as varchar)' -%}
    case
        when {{ text }}[1] > ' ' and {{ text }}[-1] > ' ' then {{ text }}
        else nullif(trim({{ text }}, ' ' || chr(9) || chr(10) || chr(13)), '')
    end
{%- endmacro %}


{# true, t, 1, yes, y and false, f, 0, no, n in any letter case. #}
{% macro read_boolean(expression) -%}
    {{ return(adapter.dispatch('read_boolean', 'customer_tiering')(expression)) }}
{%- endmacro %}

{% macro default__read_boolean(expression) -%}
    case
        when typeof({{ expression }}) = 'BOOLEAN' then try_cast({{ expression }} as boolean)
        else case lower({{ customer_tiering.read_text(expression) }})
            {%- for word in ['true', 't', '1', 'yes', 'y'] %}
            when '{{ word }}' then true
            {%- endfor %}
            {%- for word in ['false', 'f', '0', 'no', 'n'] %}
            when '{{ word }}' then false
            {%- endfor %}
        end
    end
{%- endmacro %}


{# A whole number; NULL when there is a fraction, which a cast alone would round away. #}
{% macro read_whole_number(expression) -%}
    {{ return(adapter.dispatch('read_whole_number', 'customer_tiering')(expression)) }}
{%- endmacro %}

{% macro default__read_whole_number(expression) -%}
    case
        when try_cast({{ expression }} as decimal(38, 6)) = try_cast({{ expression }} as bigint)
            then try_cast({{ expression }} as bigint)
    end
{%- endmacro %}


{% macro is_letters(expression, length) -%}
    {{ return(adapter.dispatch('is_letters', 'customer_tiering')(expression, length)) }}
{%- endmacro %}

{% macro default__is_letters(expression, length) -%}
    regexp_full_match({{ expression }}, '[A-Za-z]{{ '{' ~ length ~ '}' }}')
{%- endmacro %}


{# True for a value that says which zone it is in. typeof() of a column is folded when the query is
   planned, so that a column of timestamps is never turned into text. #}
{% macro has_time_zone(expression) -%}
    {{ return(adapter.dispatch('has_time_zone', 'customer_tiering')(expression)) }}
{%- endmacro %}

{% macro default__has_time_zone(expression) -%}
    (
        typeof({{ expression }}) = 'TIMESTAMP WITH TIME ZONE'
        or (
            typeof({{ expression }}) = 'VARCHAR'
            and regexp_matches({{ customer_tiering.iso_text(expression) }}, ':.*(Z|[+-]\d\d(:\d\d)?)$')
        )
    )
{%- endmacro %}


{# A value that a cast may read as a date or time: text only when it is ISO 8601, as the cast alone would
   also take words such as infinity and drop the names of zones; any other type as it is. #}
{% macro iso_text(expression) -%}
    {{ return(adapter.dispatch('iso_text', 'customer_tiering')(expression)) }}
{%- endmacro %}

{% macro default__iso_text(expression) -%}
    case
        when typeof({{ expression }}) <> 'VARCHAR' then cast({{ expression }} as varchar)
        when regexp_full_match(
            {{ customer_tiering.read_text(expression) }},
            '\d{4}-\d\d-\d\d([ T]([01]\d|2[0-3]):\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:\d\d)?)?)?'
        ) then {{ customer_tiering.read_text(expression) }}
    end
{%- endmacro %}


{# The timestamp that a value without a zone says. #}
{% macro local_timestamp(expression) -%}
    {{ return(adapter.dispatch('local_timestamp', 'customer_tiering')(expression)) }}
{%- endmacro %}

{% macro default__local_timestamp(expression) -%}
    case
        when typeof({{ expression }}) = 'VARCHAR'
            then try_cast({{ customer_tiering.iso_text(expression) }} as timestamp)
        else try_cast({{ expression }} as timestamp)
    end
{%- endmacro %}


{# The instant that a value with a zone says. #}
{% macro zoned_timestamp(expression) -%}
    {{ return(adapter.dispatch('zoned_timestamp', 'customer_tiering')(expression)) }}
{%- endmacro %}

{% macro default__zoned_timestamp(expression) -%}
    case
        when typeof({{ expression }}) = 'VARCHAR'
            then try_cast({{ customer_tiering.iso_text(expression) }} as timestamptz)
        else try_cast({{ expression }} as timestamptz)
    end
{%- endmacro %}


{# The date that a value says, a time cut to its date. #}
{% macro read_date(expression) -%}
    {{ return(adapter.dispatch('read_date', 'customer_tiering')(expression)) }}
{%- endmacro %}

{% macro default__read_date(expression) -%}
    case
        when typeof({{ expression }}) = 'VARCHAR'
            then try_cast(left({{ customer_tiering.iso_text(expression) }}, 10) as date)
        else try_cast({{ expression }} as date)
    end
{%- endmacro %}


{% macro read_timestamp(expression) -%}
    {{ return(adapter.dispatch('read_timestamp', 'customer_tiering')(expression)) }}
{%- endmacro %}

{% macro default__read_timestamp(expression) -%}
    case
        when {{ customer_tiering.has_time_zone(expression) }}
            then timezone('UTC', {{ customer_tiering.zoned_timestamp(expression) }})
        else {{ customer_tiering.convert_time_zone(
            customer_tiering.local_timestamp(expression), var('source_time_zone'), 'UTC'
        ) }}
    end
{%- endmacro %}


{% macro read_business_date(expression) -%}
    {{ return(adapter.dispatch('read_business_date', 'customer_tiering')(expression)) }}
{%- endmacro %}

{% macro default__read_business_date(expression) -%}
    case
        when {{ customer_tiering.has_time_zone(expression) }}
            then cast(
                timezone(
                    '{{ customer_tiering.time_zone(var("business_time_zone")) }}',
                    {{ customer_tiering.zoned_timestamp(expression) }}
                ) as date
            )
        else cast({{ customer_tiering.convert_time_zone(
            customer_tiering.local_timestamp(expression),
            var('source_time_zone'),
            var('business_time_zone'),
        ) }} as date)
    end
{%- endmacro %}


{# A local timestamp in another zone. Nothing is done between equal zones: a round trip through UTC would
   move the hours that a change of clocks repeats. #}
{% macro convert_time_zone(expression, from_zone, to_zone) -%}
    {{ return(adapter.dispatch('convert_time_zone', 'customer_tiering')(expression, from_zone, to_zone)) }}
{%- endmacro %}

{% macro default__convert_time_zone(expression, from_zone, to_zone) -%}
    {%- if from_zone == to_zone -%}
        {{ expression }}
    {%- else -%}
        timezone(
            '{{ customer_tiering.time_zone(to_zone) }}',
            timezone('{{ customer_tiering.time_zone(from_zone) }}', {{ expression }})
        )
    {%- endif -%}
{%- endmacro %}


{# A raw row as a JSON object: column names and the values as text. #}
{% macro json_of_columns(columns, prefix='') -%}
    {{ return(adapter.dispatch('json_of_columns', 'customer_tiering')(columns, prefix)) }}
{%- endmacro %}

{% macro default__json_of_columns(columns, prefix) -%}
    cast(json_object(
        {%- for column in columns %}
        '{{ column }}', cast({{ prefix ~ column }} as varchar){{ "," if not loop.last }}
        {%- endfor %}
    ) as varchar)
{%- endmacro %}
