{# Pseudonyms by the extension pgcrypto. The key is a setting of the session, which the environment variable PGOPTIONS gives it:
   so it is in no SQL text, and with that in no file or log. #}

{% macro postgres__prepare_pseudonyms() %}
    {% set key_length %}
        select length(current_setting('tiering.pseudonym_key', true))
    {% endset %}
    {% set characters = customer_tiering.value_of(key_length) or 0 %}
    {% if characters < 16 %}
        {{ exceptions.raise_compiler_error(
            "environment variable PGOPTIONS: found " ~ ("a key of " ~ characters ~ " characters" if characters else "no key")
            ~ "; allowed is -c tiering.pseudonym_key=, with a secret of at least 16 characters, as pseudonymise_ids is true."
        ) }}
    {% endif %}
    {% call customer_tiering.run_statement() %}
        create extension if not exists pgcrypto
    {% endcall %}
    {% set schema_of_extension %}
        select cast(cast(extnamespace as regnamespace) as text)
        from pg_extension
        where extname = 'pgcrypto'
    {% endset %}
    {% do run_query(customer_tiering.postgres__function_of_pseudonyms(customer_tiering.value_of(schema_of_extension))) %}
{% endmacro %}


{% macro postgres__function_of_pseudonyms(schema) %}
-- HMAC-SHA256 of an id in UTF-8, its first 32 hexadecimal digits; customer_tiering/pseudonyms.py does the same.
create or replace function customer_pseudonym(id text) returns text stable strict parallel safe language sql as $$
    select
        left(
            encode(
                {{ schema }}.hmac(
                    convert_to(id, 'UTF8'), convert_to(current_setting('tiering.pseudonym_key'), 'UTF8'), 'sha256'
                ),
                'hex'
            ),
            32
        )
$$;
{% endmacro %}
