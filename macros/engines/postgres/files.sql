{% macro postgres__raw_relation_in_folder(source) %}
    {{ exceptions.raise_compiler_error(
        "dbt_project.yml, vars: raw_schema is ''; allowed is, for plain dbt on PostgreSQL, the schema that holds the raw tables."
    ) }}
{% endmacro %}


{% macro postgres__mapped_relation_in_folder(source, mapping) %}
    {{ return(customer_tiering.raw_relation_in_folder(source)) }}
{% endmacro %}


{# PostgreSQL cannot read the mapping's files: `tiering refresh` has read them. #}
{% macro postgres__read_mapping() %}
    {% set mapping = env_var('TIERING_MAPPING', '') %}
    {% if not mapping %}
        {% do customer_tiering.refuse_mapping(
            "var mapping", "'" ~ customer_tiering.setting('mapping') ~ "'",
            "for plain dbt on PostgreSQL, none: run tiering refresh --target postgres --mapping " ~ customer_tiering.setting('mapping')
        ) %}
    {% endif %}
    {{ return(fromjson(mapping)) }}
{% endmacro %}


{% macro postgres__land_files(source, relation, is_erasing, is_second) %}
    {{ return({}) }}
{% endmacro %}


{# Of files it says too which persons are erased: their rows were masked before they came here. #}
{% macro postgres__raw_origin() %}
    {% if customer_tiering.landed_files() %}
        {{ return(customer_tiering.text_literal('files|' ~ customer_tiering.landed_files())) }}
    {% endif %}
    {% set schema = customer_tiering.raw_schema_parts() %}
    {{ return("concat_ws('|', 'schema', current_database(), '" ~ schema.name | lower ~ "')") }}
{% endmacro %}


{# A seed is read from its table: PostgreSQL cannot read the project's files. #}
{% macro postgres__seed_file(seed) %}
    {% for node in graph.nodes.values()
        if node.resource_type == 'seed' and node.package_name == 'customer_tiering' and node.name == seed %}
        {% if not customer_tiering.table_exists(node.schema, node.alias) %}
            {{ exceptions.raise_compiler_error(
                "table " ~ node.schema ~ "." ~ node.alias ~ " is not there; erasures and pseudonyms need it before "
                ~ "anything is landed: run dbt seed first."
            ) }}
        {% endif %}
        {{ return(adapter.quote(node.schema) ~ '.' ~ adapter.quote(node.alias)) }}
    {% endfor %}
{% endmacro %}


{# What dbt knows of models, seeds, data tests, raw tables, macros and vars: PostgreSQL cannot read the project's files. #}
{% macro postgres__digest_of_files(root, patterns) %}
    {% set parts = [] %}
    {% for node in graph.nodes.values() | sort(attribute='unique_id')
        if node.package_name == 'customer_tiering' and node.resource_type in ('model', 'seed', 'snapshot', 'test') %}
        {% do parts.append(
            [node.unique_id, node.checksum.checksum, node.unrendered_config, node.raw_code, node.get('test_metadata')] | join('|')
        ) %}
    {% endfor %}
    {% for source in graph.sources.values() | sort(attribute='unique_id')
        if source.package_name == 'customer_tiering' %}
        {% do parts.append(source.unique_id ~ '|' ~ customer_tiering.declaration_of(source)) %}
    {% endfor %}
    {% for name, macro in customer_tiering.items() | sort(attribute='0') %}
        {% do parts.append(macro.macro.macro_sql) %}
    {% endfor %}
    {% for name, rule in customer_tiering.settings().items() if not rule.get('keeps_build') %}
        {% do parts.append(name ~ '=' ~ customer_tiering.setting(name)) %}
    {% endfor %}
    {{ return("'" ~ local_md5(parts | join('\n')) ~ "'") }}
{% endmacro %}
